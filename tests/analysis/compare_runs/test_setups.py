"""What two runs do not have alike: task, data, models, versions."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import compare
from harness.analysis.compare_runs.setups import SetupChange, setup_changes
from harness.errors import UserError

TARGETS = ["yes", "no"] * 30
ARM = Arm("a", [right(TARGETS)])


def header(path, arms=(ARM,), **facts):
    return write_run(path, TARGETS, arms, **facts).last_header()


def test_equal_runs_differ_in_nothing(tmp_path):
    assert setup_changes(header(tmp_path / "x"), header(tmp_path / "y")) == ()


def test_keys_of_the_task_are_named_with_both_values(tmp_path):
    found = setup_changes(
        header(tmp_path / "x"), header(tmp_path / "y", margin=0.1, limits={"min_score": 0.5})
    )
    assert SetupChange("task", "margin", "0.05", "0.1") in found
    assert SetupChange("task", "limits.min_score", "–", "0.5") in found


def test_an_arm_that_is_new_is_a_change_of_its_own(tmp_path):
    more = [ARM, Arm("b", [right(TARGETS)])]
    found = setup_changes(header(tmp_path / "x"), header(tmp_path / "y", more))
    assert {one.what.split(".")[1] for one in found} == {"b"}
    assert all(one.before == "–" for one in found)


def test_data_models_and_versions_are_compared(tmp_path):
    old = header(tmp_path / "x", data={"sha256": {"train": "a" * 64}})
    new = header(tmp_path / "y", data={"sha256": {"train": "b" * 64}, "train_n": 40})
    new = new.model_copy(
        update={
            "packages": {"numpy": "3"},
            "dtype": "bfloat16",
            "machine": new.machine.model_copy(update={"cores": 8}),
        }
    )
    assert setup_changes(old, new) == (
        SetupChange("data", "training rows", "30", "40"),
        SetupChange("data", "content of train", "a" * 12, "b" * 12),
        SetupChange("model", "dtype", "float32", "bfloat16"),
        SetupChange("versions", "numpy", "2", "3"),
        SetupChange("versions", "processor", "Abacus 2, 2 cores", "Abacus 2, 8 cores"),
    )


def test_a_long_value_is_cut(tmp_path):
    found = setup_changes(header(tmp_path / "x"), header(tmp_path / "y", instruction="why " * 99))
    [one] = found
    assert (one.what, len(one.after), one.after[-1]) == ("instruction", 120, "…")


def test_two_tasks_that_share_no_row_are_named(tmp_path):
    one = write_run(tmp_path / "x", TARGETS, [ARM], name="first")
    other = ["no" if target == "yes" else "yes" for target in TARGETS]
    two = write_run(tmp_path / "y", other, [Arm("a", [right(other)])], name="second")
    with pytest.raises(UserError, match="of two tasks, first and second"):
        compare(one, two)
    three = write_run(tmp_path / "z", TARGETS, [ARM], name="third", metric="macro_f1")
    with pytest.raises(UserError, match=r"different metrics.* of two tasks, first and third"):
        compare(one, three)
