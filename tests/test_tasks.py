"""Everything that ships under tasks/ is whole, frozen, and what its README says."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import combinations
from pathlib import Path

import pytest
from rapidfuzz import fuzz, process

from harness.task import load_task

TASKS = Path(__file__).parent.parent / "tasks"
TRIAGE = TASKS / "ticket_triage"
ALIKE = 80
"""token_sort_ratio from which two messages count as near-duplicates."""


def rows(name):
    return [json.loads(line) for line in (TRIAGE / "data" / name).read_text().splitlines()]


def test_there_are_tasks():
    assert {path.parent.name for path in TASKS.glob("*/task.yaml")} == {"ticket_triage"}


@pytest.mark.parametrize("folder", sorted(TASKS.iterdir()), ids=lambda path: path.name)
def test_every_task_loads_without_a_fault(folder):
    task = load_task(folder / "task.yaml")
    assert task.spec.name == folder.name
    assert not task.data.leaked_ids


def test_ticket_triage_is_as_large_as_promised():
    task = load_task(TRIAGE / "task.yaml")
    assert len(task.train) >= 360
    assert len(task.validation) >= 90
    assert len(task.test) >= 300
    assert len(task.labels) == 12
    assert [arm.name for arm in task.spec.strategies] == [
        "majority", "tfidf", "zero_shot", "few_shot", "lora",
    ]  # fmt: skip
    assert len(list((TRIAGE / "data" / "handbook").glob("*.md"))) >= 30


def test_the_data_is_frozen():
    readme = (TRIAGE / "README.md").read_text()
    stated = dict(re.findall(r"\| (data/\S+) \| ([0-9a-f]{64}) \|", readme))
    pages = sorted((TRIAGE / "data" / "handbook").glob("*.md"))
    lines = "".join(f"{p.name}:{hashlib.sha256(p.read_bytes()).hexdigest()}\n" for p in pages)
    assert stated.pop("data/handbook/*.md") == hashlib.sha256(lines.encode()).hexdigest()
    assert len(stated) == 4
    for name, digest in stated.items():
        assert hashlib.sha256((TRIAGE / name).read_bytes()).hexdigest() == digest


def test_the_second_labelling_agrees_as_the_readme_says():
    from sklearn.metrics import cohen_kappa_score

    first = {row["id"]: row["team"] for row in rows("test.jsonl")}
    second = {row["id"]: row["team"] for row in rows("test_second_labels.jsonl")}
    assert set(first) == set(second)
    ids = sorted(first)
    kappa = cohen_kappa_score([first[i] for i in ids], [second[i] for i in ids])
    agreed = sum(first[i] == second[i] for i in ids)
    readme = (TRIAGE / "README.md").read_text()
    assert f"{agreed} of {len(ids)}: Cohen's kappa {kappa:.2f}" in readme


def test_fewer_than_one_in_a_hundred_messages_is_a_near_duplicate_across_splits():
    texts = {
        name: [row["text"].lower() for row in rows(f"{name}.jsonl")]
        for name in ("train", "validation", "test")
    }
    alike = 0
    for one, other in combinations(texts.values(), 2):
        scores = process.cdist(one, other, scorer=fuzz.token_sort_ratio)
        alike += int((scores.max(axis=0) >= ALIKE).sum())
    assert alike / sum(map(len, texts.values())) < 0.01


def test_no_strategy_of_the_project_names_a_test_message():
    sources = "".join(path.read_text() for path in (TASKS.parent / "strategies").glob("*.py"))
    assert not [row["id"] for row in rows("test.jsonl") if row["text"] in sources]
