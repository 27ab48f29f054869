"""Banking messages (banking77, Casanueva et al. 2020, arXiv 2003.04807) as work for both sides.

The data lie beside the project and are not part of it. Everything drawn is drawn by
`random.Random(0)`, so that every run of a benchmark does the same work. Knows nothing of tokens.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from benchmarks.public_sets import rows, text

SET = "banking77"
SEED = 0
Row = tuple[str, str]
"""A message and its label."""


@dataclass(frozen=True)
class Questions:
    """Prompts, and the continuations of which each prompt takes one."""

    prompts: list[str]
    continuations: list[str]


@dataclass(frozen=True)
class TextPair:
    """Rows to learn from, and rows to ask afterwards."""

    examples: list[Row]
    held_out: list[Row]


def few_shot_questions(labels: int, shots: int, messages: int) -> Questions:
    """Return test messages of some labels behind the same demonstrations.

    Args:
        labels: how many labels are drawn; only their rows are used.
        shots: demonstrations, drawn from the training rows.
        messages: test rows, drawn without repetition.
    """
    draw = random.Random(SEED)
    drawn = draw.sample(_labels(), labels)
    train = [row for row in rows(SET, "train.jsonl") if row["label"] in drawn]
    shown = "".join(_shot(row) for row in draw.sample(train, shots))
    test = draw.sample([row for row in rows(SET, "test.jsonl") if row["label"] in drawn], messages)
    return Questions(
        [f"{shown}Message: {row['input']}\nLabel:" for row in test],
        [f" {_words(label)}" for label in drawn],
    )


def zero_shot_questions(messages: int) -> Questions:
    """Return test messages of all labels behind an instruction that lists the labels."""
    labels = [_words(label) for label in _labels()]
    listed = "\n".join(["Give each message one of these labels:", *(f"- {x}" for x in labels)])
    test = random.Random(SEED).sample(rows(SET, "test.jsonl"), messages)
    return Questions(
        [f"{listed}\n\nMessage: {row['input']}\nLabel:" for row in test],
        [f" {label}" for label in labels],
    )


def lesson(examples: int, held_out: int) -> TextPair:
    """Return training rows of all labels, and test rows to hold out."""
    draw = random.Random(SEED)
    train = draw.sample(rows(SET, "train.jsonl"), examples)
    test = draw.sample(rows(SET, "test.jsonl"), held_out)
    return TextPair(
        [(row["input"], _words(row["label"])) for row in train],
        [(row["input"], _words(row["label"])) for row in test],
    )


def long_text() -> str:
    """Return all training messages, one a line: text enough to cut sequences from."""
    return "\n".join(row["input"] for row in rows(SET, "train.jsonl"))


def _shot(row: dict[str, Any]) -> str:
    return f"Message: {row['input']}\nLabel: {_words(row['label'])}\n\n"


def _words(label: str) -> str:
    return label.replace("_", " ")


def _labels() -> list[str]:
    return list(json.loads(text(SET, "labels.json")))
