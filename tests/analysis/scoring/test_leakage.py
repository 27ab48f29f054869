"""What arms may have seen of the test rows, per arm, and leads that rest on it."""

import pytest
from hand_made import TARGETS, Arm, right, write_run

from harness.analysis import analyse
from harness.store.leaks import LeakSource
from reports.sections.leakage import leakage as section

SEEN = tuple(f"r{n}" for n in range(40))


def run_of(tmp_path, arms, leaks):
    folder = write_run(tmp_path, TARGETS, arms)
    folder.append(folder.last_header().model_copy(update={"leaks": tuple(leaks)}))
    return analyse(folder)


def learner(name, wrong, reads, **plan):
    return Arm(name, [right(TARGETS, wrong)], plan={"reads": reads, **plan})


def test_each_arm_has_the_rows_of_what_it_reads_and_its_score_without_them(tmp_path):
    leaks = [
        LeakSource(source="train", exact=("r0", "r1"), near=("r2",)),
        LeakSource(source="documents", exact=("r1",), near=None),
    ]
    arms = [
        learner("both", range(2, 32), ("train", "documents")),
        learner("rows", range(2, 32), ("train",)),
        learner("none", range(2, 32), ()),
    ]
    both, rows, none = (arm.leakage for arm in run_of(tmp_path, arms, leaks).arms)
    assert rows.ids == ("r0", "r1", "r2")
    assert (rows.exact, rows.near) == (2, 1)
    assert rows.without.n == 117
    assert rows.without.value == pytest.approx(88 / 117)
    assert both.exact == 2
    assert both.near is None, "nobody looked in all of them"
    assert [(one.source, one.exact, one.near) for one in both.sources] == [
        ("train", 2, 1),
        ("documents", 1, None),
    ]
    assert (none.ids, none.exact, none.near, none.without) == ((), 0, 0, None)


def test_a_lead_that_rests_on_rows_an_arm_has_seen_is_a_severe_warning(tmp_path):
    leaks = [LeakSource(source="train", exact=SEEN)]
    # On the 40 rows that it has seen it is right, on the others as often as the other arm.
    arms = [
        learner("copier", range(40, 80), ("train",)),
        learner("honest", range(80), ()),
    ]
    arms[1] = Arm("honest", [right(TARGETS, [*range(40), *range(80, 120)])], plan={"reads": ()})
    comparison = run_of(tmp_path, arms, leaks)
    (warning,) = [one for one in comparison.warnings if "leads" in one.text]
    assert warning.severity == "severe"
    assert warning.arms == ("copier",)
    assert warning.text == (
        "copier leads honest by 33.3 points on all test rows; without the 40 that stand in what it"
        " may use, it is 0.0 points → take these rows out of what it learns from, and run again"
    )


def test_a_lead_that_stands_without_them_is_none(tmp_path):
    leaks = [LeakSource(source="train", exact=SEEN)]
    arms = [learner("good", (), ("train",)), learner("bad", range(0, 120, 2), ())]
    comparison = run_of(tmp_path, arms, leaks)
    assert not [one for one in comparison.warnings if "leads" in one.text]
    assert comparison.arms[0].leakage.without.n == 80


def test_where_every_row_was_seen_no_row_is_left(tmp_path):
    leaks = [LeakSource(source="train", exact=tuple(f"r{n}" for n in range(120)))]
    arms = [learner("copier", (), ("train",)), learner("honest", range(60), ())]
    comparison = run_of(tmp_path, arms, leaks)
    assert comparison.arms[0].leakage.without is None
    (warning,) = [one for one in comparison.warnings if "leads" in one.text]
    assert "without the 120 that stand in what it may use, no row is left →" in warning.text


def test_answers_made_elsewhere_and_runs_of_earlier_versions_are_unknown(tmp_path):
    leaks = [LeakSource(source="train", exact=("r0",))]
    arms = [learner("bought", (), (), replays=True), learner("rows", (), ("train",))]
    comparison = run_of(tmp_path, arms, leaks)
    assert "nobody says what from" in comparison.arms[0].leakage.unknown
    table = section(comparison).blocks[0]
    by_arm = {row[0]: row[1:] for row in table.rows}
    assert by_arm["bought"][:3] == ("made elsewhere", "–", "–")
    assert by_arm["rows"][:3] == ("train", "1", "0")
    assert by_arm["rows"][4].endswith(", n = 119")
    earlier = analyse(write_run(tmp_path / "old", TARGETS, [Arm("a", [right(TARGETS)])]))
    assert earlier.arms[0].leakage is None
    assert section(earlier) is None
