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


def rows(name, task=TRIAGE):
    return [json.loads(line) for line in (task / "data" / name).read_text().splitlines()]


def test_there_are_tasks():
    names = {path.parent.name for path in TASKS.glob("*/task.yaml")}
    assert names == {"ticket_triage", "handbook_qa", "ticket_to_json"}


@pytest.mark.parametrize("path", sorted(TASKS.glob("*/task.yaml")), ids=lambda p: p.parent.name)
def test_every_task_loads_without_a_fault(path):
    task = load_task(path)
    assert task.spec.name == path.parent.name
    assert task.prices is not None
    assert not task.data.leaked_ids


def test_ticket_triage_is_as_large_as_promised():
    task = load_task(TRIAGE / "task.yaml")
    assert len(task.train) >= 360
    assert len(task.validation) >= 90
    assert len(task.test) >= 300
    assert len(task.labels) == 12
    assert [arm.name for arm in task.spec.strategies] == [
        "majority", "match", "tfidf", "classic", "encoder", "zero_shot", "few_shot",
        "rag", "lm_probe", "lora_upper",
    ]  # fmt: skip
    assert len(list((TRIAGE / "data" / "handbook").glob("*.md"))) >= 30


@pytest.mark.parametrize(
    ("name", "train", "validation", "test"),
    [("handbook_qa", 150, 50, 200), ("ticket_to_json", 200, 50, 200)],
)
def test_the_others_are_as_large_as_promised(name, train, validation, test):
    task = load_task(TASKS / name / "task.yaml")
    assert len(task.train) >= train
    assert len(task.validation) >= validation
    assert len(task.test) >= test


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in TASKS.glob("*/task.yaml")), ids=lambda path: path.name
)
def test_the_data_is_frozen(folder):
    readme = (folder / "README.md").read_text()
    stated = dict(re.findall(r"\| (\S+\.jsonl?|data/handbook/\*\.md) \| ([0-9a-f]{64}) \|", readme))
    files = {str(file.relative_to(folder)) for file in (folder / "data").glob("*.jsonl")}
    assert files <= set(stated)
    if digest := stated.pop("data/handbook/*.md", None):
        pages = sorted((folder / "data" / "handbook").glob("*.md"))
        lines = "".join(f"{p.name}:{hashlib.sha256(p.read_bytes()).hexdigest()}\n" for p in pages)
        assert digest == hashlib.sha256(lines.encode()).hexdigest()
    for name, digest in stated.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_second_answers_agree_as_the_readme_says():
    from harness.metrics.reading import squad_normalised

    folder = TASKS / "handbook_qa"
    second = {row["id"]: row["answer"] for row in rows("test_second_answers.jsonl", folder)}
    first = rows("test.jsonl", folder)
    assert {row["id"] for row in first} == set(second)
    differing = [
        row["id"]
        for row in first
        if squad_normalised(second[row["id"]])
        not in map(squad_normalised, row["answers"] or ["not in the handbook"])
    ]
    agreed = len(first) - len(differing)
    readme = (folder / "README.md").read_text()
    # One of those that differed had its wording accepted afterwards.
    assert f"{agreed - 1} of {len(first)} answers equalled an accepted one" in readme
    assert f"so {agreed} equal one in the data as it stands" in readme


def test_the_second_records_agree_as_the_readme_says():
    folder = TASKS / "ticket_to_json"
    second = {row["id"]: row["record"] for row in rows("test_second_records.jsonl", folder)}
    first = {row["id"]: row["record"] for row in rows("test.jsonl", folder)}
    agreed = sum(second[row_id] == record for row_id, record in first.items())
    assert f"{agreed} of {len(first)} records agreed" in (folder / "README.md").read_text()


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
