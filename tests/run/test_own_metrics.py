"""A metric of the task's own runs when the run ends, and never when its folder is read."""

from __future__ import annotations

import json

import pytest

from harness.analysis import analyse, compare
from harness.errors import UserError
from harness.store.run_folder import RunFolder

pytestmark = pytest.mark.process  # the metric runs in a process of its own, as it does for users

SOURCE = """
from harness import Prediction, Strategy

class Says(Strategy):
    def predict(self, queries):
        return [Prediction("a" if i % 4 else "b") for i, _ in enumerate(queries)]

class Odd(Strategy):
    def predict(self, queries):
        return [Prediction("odd")] * len(queries)
"""
METRIC = """
from pathlib import Path

def first(answer, targets):
    "Half a point for a right letter."
    with (Path(__file__).parent / "canary").open("a") as stream:
        stream.write("x")
    if answer == "odd":
        raise SystemExit(0)
    return 0.5 * (answer in targets)
"""


@pytest.fixture
def ran(tiny, run_tiny, tmp_path):
    path = tiny(
        tmp_path / "task", SOURCE, ["own.py:Says"], metric="own_metric.py:first", also=["accuracy"]
    )
    (path.parent / "own_metric.py").write_text(METRIC)
    folder, _ = run_tiny(path, tmp_path / "run")
    (path.parent / "canary").unlink()
    return folder, path.parent


def score_of(folder, **how):
    (arm,) = analyse(folder, **how).arms
    return arm


def test_a_report_reads_what_the_metric_found_and_does_not_run_it(ran):
    folder, task = ran
    found = score_of(folder)
    assert found.score.value == 0.125
    (task / "own_metric.py").write_text("raise SystemExit('ran')")
    assert score_of(folder) == found
    compare(folder, folder)
    (task / "own_metric.py").unlink()
    assert score_of(folder) == found
    assert not (task / "canary").exists()


def test_without_a_record_the_score_is_unknown_and_trust_runs_the_metric(ran):
    folder, task = ran
    value = score_of(folder).score.value
    folder.own_worths.unlink()
    arm = score_of(folder)
    assert (arm.status, arm.score) == ("failed", None)
    assert "'own_metric.py:first' is unknown" in arm.error
    assert "→ run the task again, or say `--trust` to have own_metric.py run" in arm.error
    with pytest.raises(UserError, match=r"no arm finished in both runs: says: its score by"):
        compare(folder, folder)
    assert not (task / "canary").exists()
    assert score_of(folder, trust=True).score.value == value
    assert (task / "canary").exists()


@pytest.mark.parametrize("damage", ["[]", "{", '{"metrics": 1}', "nul\0"])
def test_a_damaged_record_is_as_none(ran, damage):
    folder, _ = ran
    folder.own_worths.write_text(damage)
    assert score_of(folder).score is None


def test_a_changed_worth_is_found(ran):
    folder, _ = ran
    text = folder.own_worths.read_text()
    assert '":0.5' in text
    folder.own_worths.write_text(text.replace('":0.5', '":1.0'))
    assert score_of(folder).score is None


def test_an_arm_that_the_metric_fails_on_is_a_row_and_the_others_stand(tiny, run_tiny, tmp_path):
    arms = ["own.py:Says", "own.py:Odd"]
    path = tiny(tmp_path / "task", SOURCE, arms, metric="own_metric.py:first")
    (path.parent / "own_metric.py").write_text(METRIC)
    folder, _ = run_tiny(path, tmp_path / "run")
    says, odd = analyse(folder).arms
    assert says.score.value == 0.125
    assert (odd.status, odd.score) == ("failed", None)
    assert "metric 'own_metric.py:first' failed on the item 'test0', answer 'odd'" in odd.error


def test_two_versions_of_a_metric_are_not_compared(ran, run_tiny, tmp_path):
    folder, task = ran
    (task / "own_metric.py").write_text(METRIC.replace("0.5 *", "0.25 *"))
    other, _ = run_tiny(task / "task.yaml", tmp_path / "other")
    with pytest.raises(UserError, match=r"different versions of 'own_metric.py:first' → run"):
        compare(folder, other)


def test_a_run_without_such_metrics_keeps_nothing(tiny, run_tiny, tmp_path):
    folder, _ = run_tiny(tiny(tmp_path / "task", SOURCE, ["own.py:Says"]), tmp_path / "run")
    assert not RunFolder(folder.path).own_worths.exists()
    assert json.loads(folder.truth.read_text().splitlines()[0])
