"""Every word of a report that a manager need not know is explained in it, below the verdict."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, cheap_and_good, right, write_run

from harness import metrics
from harness.analysis import analyse
from reports import html
from reports import whole_markdown as markdown

TITLE = "How to read this"


def explained(comparison):
    """Return word → meaning, the same in both reports."""
    text = markdown(comparison).split(f"<summary>{TITLE}</summary>")[1].split("</details>")[0]
    page = html(comparison).split('<details id="glossary"')[1].split("</details>")[0]
    found = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+)$", text, flags=re.MULTILINE))
    assert found == {
        word: unescape(meaning)
        for word, meaning in re.findall(r"<li><b>(.+?)</b>: (.+)</li>", page)
    }
    return found


def test_the_words_of_the_verdict_and_of_the_first_table_are_explained(tmp_path):
    comparison = analyse(
        write_run(tmp_path, TARGETS, cheap_and_good(), prices=PRICES, traffic=TRAFFIC, margin=0.03)
    )
    words = explained(comparison)
    assert {"arm", "points", "gap", "margin", "p50, p95", "preparation", "artifact"} < set(words)
    assert "3.0 points" in words["margin"]
    for word in ("confirm", "undecided"):
        assert word in words["margin"]
    for page, first in ((markdown(comparison), "| arm | status |"), (html(comparison), "<table")):
        assert page.index(first) < page.index(TITLE)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "balanced_accuracy"])
def test_the_metric_is_explained_by_its_own_summary(tmp_path, metric):
    words = explained(analyse(write_run(tmp_path, TARGETS, cheap_and_good(), metric=metric)))
    assert words[metric] == f"{metrics.find(metric).summary}. This score decides."
    assert ("F1" in words) is ("f1" in metric)


def test_further_metrics_are_explained_and_do_not_decide(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), also=["exact_match"]))
    assert explained(comparison)["exact_match"] == f"{metrics.find('exact_match').summary}."


@pytest.mark.process  # a metric of one's own is scored in a process of its own
def test_a_metric_of_the_tasks_own_is_explained_though_its_file_may_be_gone(tmp_path):
    (tmp_path / "own.py").write_text("def close(answer, targets):\n    return 1.0\n")
    folder = write_run(tmp_path / "run", TARGETS, cheap_and_good(), metric="own.py:close")
    folder.append(folder.last_header().model_copy(update={"task_folder": str(tmp_path)}))
    comparison = analyse(folder)
    (tmp_path / "own.py").unlink()
    assert "by a function in that file" in explained(comparison)["own.py:close"]


@pytest.mark.parametrize(
    ("arms", "task", "word"),
    [
        (cheap_and_good(), {"limits": {"max_p95_ms": 1}}, "feasible"),
        (cheap_and_good(), {"limits": {"min_score": 0.9}}, "feasible"),
        ([Arm("a", status="failed", error="it broke")], {}, "feasible"),
        (cheap_and_good(2), {"margin": 0.0}, "provisional"),
        (cheap_and_good(), {"traffic": TRAFFIC}, "break-even"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_some_words_are_explained_only_where_they_are_used(tmp_path, arms, task, word):
    assert word in explained(analyse(write_run(tmp_path / "1", TARGETS, arms, **task)))
    alone = [Arm("a", [right(TARGETS)])]
    assert word not in explained(analyse(write_run(tmp_path / "2", TARGETS, alone)))


def test_training_and_validation_loss_are_explained_where_curves_are_told(tmp_path):
    folder = write_run(tmp_path, TARGETS, [Arm("deep", [right(TARGETS)])])
    word = "training loss, validation loss"
    assert word not in explained(analyse(folder))
    [record] = folder.trials().values()
    row = {"step": 1, "train_loss": 1.0, "validation_loss": 1.0}
    log = folder.fit_folder("deep", record.fit_id) / "train_log.jsonl"
    log.write_text(json.dumps(row) + "\n")
    assert word in explained(analyse(folder))
