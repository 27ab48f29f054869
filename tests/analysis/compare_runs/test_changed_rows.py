"""Which rows one run answers better than another, and what of them may be shown."""

from __future__ import annotations

from hand_made import Arm, right, write_run

from harness.analysis import compare

TARGETS = ["yes", "no"] * 30
INPUTS = {"input": [f"question {row}" for row in range(60)]}


def both(tmp_path, before, after, first=None, second=None):
    runs = []
    for name, wrong, facts in (("one", before, first), ("two", after, second)):
        told = {"truth": INPUTS, **(facts or {})}
        arm = Arm("a", [right(TARGETS, wrong)])
        runs.append(write_run(tmp_path / name, TARGETS, [arm], **told))
    return compare(*runs)


def rows_of(found):
    return found.arms[0].rows


def test_fixed_and_broken_rows_are_told_apart(tmp_path):
    found = both(tmp_path, before=[1, 2, 3], after=[3, 4])
    rows = rows_of(found)
    assert (rows.fixed_n, rows.broken_n) == (2, 1)
    assert [row.item for row in rows.fixed] == ["r1", "r2"]
    [broken] = rows.broken
    assert (broken.item, broken.input, broken.targets) == ("r4", "question 4", ("yes",))
    assert (broken.before.text, broken.after.text) == ("yes", "no")
    assert (broken.before.score, broken.after.score) == (1.0, 0.0)


def test_at_most_ten_of_a_kind_are_shown_and_all_are_counted(tmp_path):
    rows = rows_of(both(tmp_path, before=range(30), after=()))
    assert (rows.fixed_n, len(rows.fixed)) == (30, 10)


def test_a_run_that_kept_no_inputs_shows_no_texts(tmp_path):
    rows = rows_of(both(tmp_path, [1], [], first={"truth": {}}))
    [fixed] = rows.fixed
    assert (fixed.input, fixed.targets, fixed.before.text) == (None, None, None)
    assert "kept no inputs" in fixed.withheld


def test_the_stricter_of_both_tasks_decides_what_is_shown(tmp_path):
    ids = {"report": {"examples": "ids"}}
    for number, sides in enumerate(((ids, None), (None, ids))):
        [fixed] = rows_of(both(tmp_path / str(number), [1], [], *sides)).fixed
        assert fixed.item == "r1"
        assert fixed.input is fixed.after.text is None
        assert fixed.withheld == "report.examples is 'ids'"
    none = {"report": {"examples": "none"}}
    rows = rows_of(both(tmp_path / "none", [1], [], second=none))
    assert (rows.fixed_n, rows.fixed, rows.withheld) == (1, (), "report.examples is 'none'")


def test_rows_for_groups_show_no_texts_unless_all_are_shown(tmp_path):
    truth = {**INPUTS, "groups": [["staff"]] * 60}
    [fixed] = rows_of(both(tmp_path / "x", [1], [], {"truth": truth}, {"truth": truth})).fixed
    assert fixed.input is None
    assert "data.groups" in fixed.withheld


def test_a_row_that_asks_something_else_is_not_shared(tmp_path):
    other = {"input": ["another question", *INPUTS["input"][1:]]}
    found = both(tmp_path, [0], [], second={"truth": other})
    assert found.rows_n == 59
    assert rows_of(found).fixed_n == 0


def test_a_failed_answer_is_told_with_its_error(tmp_path):
    from harness.types import Prediction

    answers = [Prediction("", error="too long") if at == 5 else t for at, t in enumerate(TARGETS)]
    runs = [
        write_run(tmp_path / str(at), TARGETS, [Arm("a", [given])], truth=INPUTS)
        for at, given in enumerate((TARGETS, answers))
    ]
    [broken] = rows_of(compare(*runs)).broken
    assert broken.after.text == "failed: too long"
