"""What runs of a folder scored and cost over time, read from their comparison.json alone."""

from __future__ import annotations

import json

import pytest
from hand_made import PRICES, Arm, right, write_run

from harness.analysis import analyse, history_of
from harness.errors import UserError
from harness.store.checksum import checked, with_checksum

TARGETS = ["yes", "no"] * 30


def past(path, wrong=0, began="2026-11-20T12:00:00+00:00", arms=("a",), **task):
    """Write a run with its verdict, as if it had begun then."""
    made = [Arm(name, [right(TARGETS, range(wrong))]) for name in arms]
    folder = write_run(path, TARGETS, made, **task)
    values = json.loads(analyse(folder).model_dump_json(exclude={"sha256"}))
    values["run"]["started_at"] = began
    folder.comparison.write_text(with_checksum(json.dumps(values)))
    return folder


def test_runs_stand_in_order_of_time_with_score_interval_and_cost(tmp_path):
    past(tmp_path / "b", 30, "2026-11-01T08:30:00+00:00", prices=PRICES)
    past(tmp_path / "a", 0, "2026-11-02T08:30:00+00:00", prices=PRICES)
    [timeline] = history_of(tmp_path).timelines
    assert [(run.name, run.when) for run in timeline.runs] == [
        ("b", "2026-11-01 08:30"),
        ("a", "2026-11-02 08:30"),
    ]
    [old] = timeline.runs[0].arms
    assert old.score.value == pytest.approx(0.5)
    assert old.score.ci_low < 0.5 < old.score.ci_high
    assert timeline.runs[1].arms[0].score.value == 1.0
    assert old.chosen


def test_runs_of_other_tasks_and_metrics_have_tables_of_their_own(tmp_path):
    past(tmp_path / "x" / "one", name="first")
    past(tmp_path / "x" / "two", name="second")
    past(tmp_path / "three", name="first", metric="macro_f1")
    found = history_of(tmp_path).timelines
    assert [(one.task, one.metric) for one in found] == [
        ("first", "accuracy"),
        ("first", "macro_f1"),
        ("second", "accuracy"),
    ]
    assert found[0].runs[0].name == "x/one"


def test_a_run_with_other_test_rows_than_the_one_before_is_named(tmp_path):
    for day, rows in enumerate(("old", "old", "new", "new"), start=1):
        data = {"sha256": {"test": rows}}
        past(tmp_path / f"run{day}", 0, f"2026-11-0{day}T00:00:00+00:00", data=data)
    [timeline] = history_of(tmp_path).timelines
    assert timeline.other_rows == ("run3",)


def test_one_run_folder_is_a_history_of_one(tmp_path):
    past(tmp_path / "run")
    [timeline] = history_of(tmp_path / "run").timelines
    assert [run.name for run in timeline.runs] == ["run"]


def test_what_tells_nothing_is_left_out_and_named(tmp_path):
    past(tmp_path / "good")
    write_run(tmp_path / "killed", TARGETS, [Arm("a", [right(TARGETS)])], ended=False)
    damaged = past(tmp_path / "damaged").comparison
    damaged.write_text(damaged.read_text().replace("accuracy", "accurate"))
    (tmp_path / "empty").mkdir()
    found = history_of(tmp_path)
    assert [run.name for run in found.timelines[0].runs] == ["good"]
    assert [line.split(" → ")[1][:10] for line in found.left_out] == ["write it a", "run its ta"]


def test_a_folder_without_runs_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        history_of(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no run with a verdict"):
        history_of(tmp_path)
    write_run(tmp_path / "killed", TARGETS, [Arm("a", [right(TARGETS)])], ended=False)
    with pytest.raises(UserError, match="killed has no verdict yet"):
        history_of(tmp_path)


def test_one_arm_can_be_asked_for(tmp_path):
    past(tmp_path / "one", arms=("a", "b"))
    past(tmp_path / "two", arms=("a",))
    [timeline] = history_of(tmp_path, "b").timelines
    assert [(run.name, *[arm.name for arm in run.arms]) for run in timeline.runs] == [("one", "b")]
    with pytest.raises(UserError, match="no run has an arm 'c' → a, b"):
        history_of(tmp_path, "c")


def test_a_comparison_of_an_earlier_version_is_read(tmp_path):
    folder = past(tmp_path / "run")
    values = checked(folder.comparison.read_bytes())
    for key in ("audit", "examples", "warnings"):
        values.pop(key, None)
    values["run"] = {}
    folder.comparison.write_text(json.dumps(values))
    [timeline] = history_of(tmp_path).timelines
    assert (timeline.runs[0].when, timeline.runs[0].test_rows) == ("–", None)
