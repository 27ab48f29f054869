"""Overfitting is rising validation loss under falling training loss, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import analyse
from harness.analysis.diagnostics.overfitting import overfitting_of
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 20


def log(train, validation, every=2):
    """A row a step; the validation loss with every second one."""
    rows = []
    for number, loss in enumerate(train):
        row = {"step": number + 1, "train_loss": loss}
        if (number + 1) % every == 0:
            row["validation_loss"] = validation[number // every]
        rows.append(row)
    return rows


FALLING = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
RISING = FALLING[::-1]
CURVES = {
    "falling and then rising": (FALLING, [1.0, 0.8, 0.9, 1.0], True),
    "both falling": (FALLING, [1.0, 0.9, 0.8, 0.7], False),
    "both rising: the rate is too high": (RISING, [0.7, 0.8, 0.9, 1.0], False),
    "a rise at the last evaluation alone": (FALLING, [1.0, 0.9, 0.8, 0.9], False),
    "a rise within the noise": (FALLING, [1.0, 0.8, 0.805, 0.81], False),
    "one evaluation": (FALLING[:2], [1.0], False),
}


@pytest.mark.parametrize("name", CURVES)
def test_it_is_told_from_other_curves(name):
    train, validation, flagged = CURVES[name]
    assert overfitting_of([log(train, validation)], [0]).flagged is flagged


@pytest.mark.parametrize(
    ("validation", "falling_from"),
    [
        pytest.param([1.0, 0.9, 0.8, 0.7], 0.9, id="falling to the end"),
        pytest.param([1.0, 0.7, 0.695, 0.69], None, id="falling by less than noise"),
        pytest.param([1.0, 0.9, 0.7, 0.8], None, id="not lowest at the end"),
        pytest.param([1.0, 0.7], None, id="too short to tell"),
    ],
)
def test_a_training_that_still_got_better_is_told_from_one_that_did_not(validation, falling_from):
    found = overfitting_of([log(FALLING[: 2 * len(validation)], validation)], [0])
    assert found.falling_from == falling_from


def test_it_names_the_step_and_both_losses():
    found = overfitting_of([log(FALLING, [1.0, 0.8, 0.9, 1.0])], [0])
    assert (found.step, found.last_step) == (4, 8)
    assert found.validation_loss == (0.8, 1.0)
    assert found.train_loss == pytest.approx((0.75, 0.35))  # steps 3 and 4, steps 7 and 8


def test_of_a_step_that_was_logged_again_the_later_row_counts():
    rows = log(FALLING, [1.0, 0.8, 0.9, 1.0])
    again = [*rows[:6], {"step": 5, "train_loss": 9.0}, *rows[4:]]
    assert overfitting_of([again], [0]) == overfitting_of([rows], [0])


def test_rows_that_are_not_of_the_training_are_passed_over():
    rows = log(FALLING, [1.0, 0.8, 0.9, 1.0])
    assert overfitting_of([[{"embedded": 3, "passages": 9}, *rows]], [0]).flagged
    assert overfitting_of([[{"step": 1, "threshold": 0.5}]], [0]) is None
    assert overfitting_of([()], [0]) is None


def test_without_a_validation_loss_there_is_a_reason():
    found = overfitting_of([[{"step": 1, "train_loss": 1.0}]], [0])
    assert (found.flagged, found.undefined) == (False, "no validation loss was logged")


def test_of_several_seeds_the_one_that_overfits_is_named():
    fine, bad = log(FALLING, [1.0, 0.9, 0.8, 0.7]), log(FALLING, [1.0, 0.8, 0.9, 1.0])
    assert overfitting_of([fine, bad], [3, 4]).seed == 4
    assert overfitting_of([fine, fine], [3, 4]).seed == 3


def test_each_part_of_a_composed_arm_is_judged_by_itself():
    fine, bad = log(FALLING, [1.0, 0.9, 0.8, 0.7]), log(FALLING, [1.0, 0.8, 0.9, 1.0])
    first, second = (
        [{**row, "part": name} for row in rows] for name, rows in (("a", bad), ("b", fine))
    )
    own = [{"step": 1, "threshold": 0.5}]
    found = overfitting_of([[*first, *second, *own]], [0])
    assert (found.flagged, found.part, found.step) == (True, "a", 4)
    # Read as one curve the second, whose steps bear the same numbers, would hide the first.
    assert not overfitting_of([[*bad, *fine]], [0]).flagged
    assert overfitting_of([[*second, *first]], [0]).part == "a"
    assert overfitting_of([[*second, *own]], [0]).part == "b"


def test_the_part_of_a_composed_arm_is_named(tmp_path):
    folder = write_run(tmp_path, TARGETS, [Arm("deep", [right(TARGETS)])])
    [record] = folder.trials().values()
    path = folder.fit_folder("deep", record.fit_id) / "train_log.jsonl"
    rows = [{**row, "part": "dear"} for row in log(FALLING, [1.0, 0.8, 0.9, 1.0])]
    path.write_text("\n".join(map(json.dumps, rows)))
    comparison = analyse(folder)
    assert any("deep (part dear) overfitted after" in found for found in comparison.findings)
    assert "**deep, training curves**: part dear: trained past" in markdown(comparison)


def test_a_finding_names_arm_and_step_and_a_cut_off_line_is_no_harm(tmp_path):
    folder = write_run(tmp_path, TARGETS, [Arm("deep", [right(TARGETS)])])
    [record] = folder.trials().values()
    lines = [json.dumps(row) for row in log(FALLING, [1.0, 0.8, 0.9, 1.0])]
    path = folder.fit_folder("deep", record.fit_id) / "train_log.jsonl"
    path.write_text("\n".join([*lines, lines[0][:9]]))
    comparison = analyse(folder)
    said = (
        "deep overfitted after step 4: by step 8 its validation loss rises from 0.800 to 1.000"
        " while its training loss falls from 0.750 to 0.350; built-in tuning keeps the weights of"
        " step 4"
    )
    assert said in comparison.findings
    for text, term in ((markdown(comparison), "**{}**"), (html(comparison), "<b>{}</b>")):
        curves = term.format("deep, training curves")
        assert f"{curves}: trained past its best step 4, which built-in tuning keeps" in text


def test_it_can_be_switched_off(tmp_path):
    folder = write_run(
        tmp_path, TARGETS, [Arm("deep", [right(TARGETS)])], facts={"overfitting": False}
    )
    [record] = folder.trials().values()
    path = folder.fit_folder("deep", record.fit_id) / "train_log.jsonl"
    path.write_text("\n".join(map(json.dumps, log(FALLING, [1.0, 0.8, 0.9, 1.0]))))
    comparison = analyse(folder)
    assert comparison.arms[0].diagnostics.overfitting is None
    assert not any("overfitted" in finding for finding in comparison.findings)
