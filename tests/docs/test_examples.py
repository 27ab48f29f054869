"""The committed examples of every verdict: their tasks load, and their reports are of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.analysis import Comparison
from harness.task import load_task

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
VERDICTS = {
    "tie": "tie",
    "not_enough_evidence": "not_enough_evidence",
    "nothing_feasible": "nothing_feasible",
    "failed_arm": "choose",
}


@pytest.fixture(params=VERDICTS)
def example(request):
    folder = EXAMPLES / request.param
    return folder, Comparison.model_validate_json((folder / "comparison.json").read_text())


def test_an_example_has_the_verdict_that_it_is_named_by(example):
    folder, comparison = example
    told = (EXAMPLES.parents[1] / "docs" / "results.md").read_text()
    assert f"report.md) | {comparison.recommendation.headline} |" in told
    assert comparison.recommendation.verdict == VERDICTS[folder.name]
    assert len([arm for arm in comparison.arms if arm.error]) == (folder.name == "failed_arm")


def test_an_example_is_of_the_task_beside_it(example):
    folder, comparison = example
    task = load_task(folder / "task.yaml")
    assert comparison.task["name"] == task.spec.name == folder.name
    assert [arm.name for arm in task.arms] == [arm["name"] for arm in comparison.task["strategies"]]
    assert comparison.run["command"].endswith(f"run reports/examples/{folder.name}/task.yaml")
    assert comparison.task["margin"] == task.spec.margin
