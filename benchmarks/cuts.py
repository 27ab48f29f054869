"""Tasks cut from public sets, small enough for two cores: what a direction is tested on.

A cut is a folder with a task file and its data, written afresh from the same draws every time, so
that an interrupted comparison goes on where it stopped. Knows nothing of what papers report.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from benchmarks.public_sets import rows, text
from benchmarks.random_model import write_random_model
from harness.errors import UserError

SEED = 0
ROOT = Path(__file__).parent.parent
MODEL = "smollm2-135m-instruct-q4"
Row = dict[str, Any]
Arm = str | dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How many rows of a set are used."""

    train: int
    validation: int
    test: int
    documents: int
    """Of the large corpus."""

    def to_write(self) -> Size:
        """Half as many rows to learn from where answers are written: each takes far longer."""
        return replace(self, train=self.train // 2, validation=self.validation // 2)


FULL = Size(500, 100, 300, documents=100_000)
QUICK = Size(40, 10, 20, documents=1_000)
CORPUS = "corpus.jsonl"
ARTICLES = 7
"""SQuAD's articles whose passages are the documents: reading all sixteen takes hours to tune."""

PROMPTED: tuple[Arm, ...] = (
    {"use": "few_shot", "shots": 10, "select": "random"},
    {"use": "few_shot", "name": "few_shot_nearest", "shots": 10, "select": "nearest"},
)
CHOICE_ARMS: tuple[Arm, ...] = (
    "majority",
    "tfidf",
    "nearest",
    "encoder",
    {"use": "encoder", "name": "encoder_all", "trains": "all"},
    "zero_shot",
    *PROMPTED,
    "lora",
    "qlora",
    "full_finetune",
    "prompt_tuning",
)
QUESTION_ARMS: tuple[Arm, ...] = (
    "majority",
    "retrieve",
    "zero_shot",
    {"use": "few_shot", "name": "few_shot_3", "shots": 3, "select": "random"},
    "rag",
    "lora",
    # Each document three times: more makes the reading the longest part of all cuts by far.
    {"use": "corpus_tuning", "epochs": 3},
    # Once: its rows are twenty times as long as lora's.
    {"use": "rag_lora", "epochs": 1},
)
TEXT_ARMS: tuple[Arm, ...] = ("majority", "nearest", "zero_shot", *PROMPTED, "lora")


def write_banking77(folder: Path, size: Size, labels: int) -> Path:
    """Write the task of choosing one of some of banking77's labels; return its file."""
    draw = random.Random(SEED)
    kept = sorted(draw.sample(json.loads(text("banking77", "labels.json")), labels))
    data = {
        split: [
            {"id": row["id"], "input": row["input"], "target": row["label"].replace("_", " ")}
            for row in rows("banking77", f"{split}.jsonl")
            if row["label"] in kept
        ]
        for split in ("train", "test")
    }
    answer = {"kind": "choice", "labels": [label.replace("_", " ") for label in kept]}
    task = {
        "instruction": "What does this message to a bank ask about?",
        "answer": answer,
        "metric": "accuracy",
        "strategies": list(CHOICE_ARMS),
    }
    return _write(folder, task, _drawn(draw, data["train"], data["test"], size))


def write_squad(folder: Path, size: Size) -> Path:
    """Write the task of answering questions on some of SQuAD's articles; return its file."""
    draw = random.Random(SEED)
    documents = rows("squad", CORPUS)
    titles = draw.sample(sorted({row["title"] for row in documents}), ARTICLES)
    data = _questions(titles)
    folder.mkdir(parents=True, exist_ok=True)
    kept = (document for document in documents if document["title"] in titles)
    _write_rows(folder / CORPUS, kept)
    task = {
        "instruction": "Answer this question in as few words as possible.",
        "answer": {"kind": "text"},
        "metric": "token_f1",
        "also": ["exact_match", "recall_at_3"],
        "strategies": list(QUESTION_ARMS),
        "generation": {"max_new_tokens": 24, "stop": ["\n"]},
    }
    drawn = _drawn(draw, data["train"], data["test"], size.to_write())
    return _write(folder, task, drawn, evidence="evidence", corpus=CORPUS)


def write_snips(folder: Path, size: Size) -> Path:
    """Write the task of turning a spoken command into its intent and slots; return its file."""
    slots = json.loads(text("snips", "schema.json"))
    one = {"type": "string"}
    value = {"anyOf": [one, {"type": "array", "items": one}]}
    names = sorted({slot for of_intent in slots.values() for slot in of_intent})
    schema = {
        "type": "object",
        "properties": {
            "intent": {"enum": sorted(slots)},
            "slots": {
                "type": "object",
                "properties": dict.fromkeys(names, value),
                "additionalProperties": False,
            },
        },
        "required": ["intent", "slots"],
        "additionalProperties": False,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.json").write_text(json.dumps(schema, indent=1))
    task = {
        "instruction": "Turn this spoken command into its intent and its slots.",
        "answer": {"kind": "json", "schema": "schema.json"},
        "metric": "exact_match",
        "also": ["field_f1", "json_valid"],
        "strategies": list(TEXT_ARMS),
        "generation": {"max_new_tokens": 96},
    }
    return _write_pairs(folder, task, "snips", size)


def write_e2e_nlg(folder: Path, size: Size) -> Path:
    """Write the task of describing a restaurant from its record; return its file."""
    task = {
        "instruction": "Describe this restaurant in one or two sentences, with all that is given.",
        "answer": {"kind": "text"},
        "metric": "bleu",
        "also": ["rouge_l"],
        "strategies": list(TEXT_ARMS),
        "generation": {"max_new_tokens": 64, "stop": ["\n"]},
    }
    return _write_pairs(folder, task, "e2e_nlg", size)


def handbook_qa(folder: Path, size: Size) -> Path:
    """Return the shipped task's file as it is: it is small already."""
    return ROOT / "tasks" / "handbook_qa" / "task.yaml"


def write_one_billion(folder: Path, size: Size) -> Path:
    """Write a task for a billion random weights: what tuning takes is meant, not what it says."""
    write_random_model(folder / "model", MODEL)
    task = {
        "instruction": "What does this message to a bank ask about?",
        "answer": {"kind": "choice", "labels": ["card", "cash"]},
        "metric": "accuracy",
        "model": "./model",
        "strategies": [{"use": "lora", "epochs": 1}, {"use": "qlora", "epochs": 1}],
    }
    data = {
        split: [
            {"id": row["id"], "input": row["input"], "target": word}
            for row in rows("banking77", f"{split}.jsonl")
            for word in ("card", "cash")
            if row["label"].startswith(word)
        ]
        for split in ("train", "test")
    }
    few = Size(16, 2, 4, documents=0)
    return _write(folder, task, _drawn(random.Random(SEED), data["train"], data["test"], few))


def write_hundred_thousand(folder: Path, size: Size) -> Path:
    """Write the task of finding the documents of SQuAD's questions among many others.

    The others are short texts of the other sets, each alone and then two by two.
    """
    draw = random.Random(SEED)
    documents = [{k: row[k] for k in ("id", "title", "text")} for row in rows("squad", CORPUS)]
    texts = [row["input"] for name in ("banking77", "snips") for row in rows(name, "train.jsonl")]
    texts += [said for row in rows("e2e_nlg", "train.jsonl") for said in row["references"]]
    alone = sorted(set(texts))
    pairs = (" ".join(draw.sample(alone, 2)) for _ in range(size.documents))
    others = islice(chain(draw.sample(alone, len(alone)), pairs), size.documents - len(documents))
    documents += [{"id": f"other{n}", "title": "", "text": said} for n, said in enumerate(others)]
    folder.mkdir(parents=True, exist_ok=True)
    _write_rows(folder / CORPUS, documents)
    task = {
        "instruction": "Answer this question.",
        "answer": {"kind": "text"},
        "metric": "recall_at_5",
        "also": ["recall_at_1"],
        "strategies": ["retrieve"],
    }
    data = _questions({document["title"] for document in documents})
    drawn = _drawn(draw, data["train"], data["test"], size.to_write())
    return _write(folder, task, drawn, evidence="evidence", corpus=CORPUS)


WRITERS: Mapping[str, Callable[[Path, Size], Path]] = {
    "banking77_10": lambda folder, size: write_banking77(folder, size, 10),
    "squad": write_squad,
    "one_billion": write_one_billion,
    "snips": write_snips,
    "e2e_nlg": write_e2e_nlg,
    "handbook_qa": handbook_qa,
    "hundred_thousand": write_hundred_thousand,
    "banking77_77": lambda folder, size: write_banking77(folder, size, 77),
}
"""Name to what writes the cut; the dear one last."""


def _questions(titles: Collection[str]) -> dict[str, list[Row]]:
    """Return SQuAD's questions on some articles, of each split."""
    return {
        split: [
            {"id": r["id"], "input": r["input"], "target": r["answers"], "evidence": r["doc_id"]}
            for r in rows("squad", f"{split}.jsonl")
            if r["title"] in titles
        ]
        for split in ("train", "test")
    }


def _write_pairs(folder: Path, task: Row, name: str, size: Size) -> Path:
    data = {
        split: [
            {"id": row["id"], "input": row["input"], "target": row["references"]}
            for row in rows(name, f"{split}.jsonl")
        ]
        for split in ("train", "test")
    }
    drawn = _drawn(random.Random(SEED), data["train"], data["test"], size.to_write())
    return _write(folder, task, drawn)


def _drawn(
    draw: random.Random, train: Sequence[Row], test: Sequence[Row], size: Size
) -> dict[str, list[Row]]:
    """Draw rows without repetition, in random order: as many as there are, at most."""
    order = draw.sample(train, len(train))
    if len(order) < size.train + size.validation:
        raise UserError(f"only {len(order)} training rows for {size.train} + {size.validation}")
    return {
        "validation": order[: size.validation],
        "train": order[size.validation :][: size.train],
        "test": draw.sample(test, min(size.test, len(test))),
    }


def _write(folder: Path, task: Row, data: Mapping[str, list[Row]], **more: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split, drawn in data.items():
        _write_rows(folder / f"{split}.jsonl", drawn)
    files = {split: f"{split}.jsonl" for split in data}
    columns = {"input": "input", "target": "target", **more}
    whole = {"name": folder.name, "model": MODEL, "margin": 0.05, "data": files | columns, **task}
    whole["facts"] = {"forgetting": False, "robustness": False}  # directions compare scores alone
    whole["seeds"] = [0]  # and were all found with one training
    path = folder / "task.yaml"
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False))  # JSON is YAML
    return path


def _write_rows(path: Path, written: Iterable[Row]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) for row in written)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
