"""The general probe: what a model knows and can say that has nothing to do with any task.

Plain English written for this project (Apache-2.0, as all of it): short passages of seven kinds,
and four-way questions of general knowledge. What tuning made a model forget shows as a change
between the untuned model and the tuned arm on the same items. Short and easy on purpose: it takes
seconds, and a small model must be able to lose something. It is no measure of how good a model is,
and says nothing of other languages or of long texts. Knows nothing of models and of scoring.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of

OPENINGS: Mapping[str, str] = {
    "encyclopaedia": "Write the beginning of an encyclopaedia article.",
    "dialogue": "Write a short dialogue.",
    "instructions": "Explain how to do something.",
    "news": "Write a short piece of local news.",
    "code": "Write a few lines of code.",
    "arithmetic": "Show a small calculation.",
    "everyday": "Tell me something from everyday life.",
}
"""What stands before a passage of each kind: a chat model is asked for what follows, and a prompt
may not be empty."""


@cache
def items() -> tuple[Mapping[str, Any], ...]:
    """Return the probe, ready to be scored: JSON objects, passages first.

    Returns:
        For each item `id`, `kind`, `prompt` and `completions`, of which each is to be scored after
        the prompt. A passage has one, and its size in `bytes`; a question has four, and the place
        of the right one in `right`.
    """
    passages = (
        {
            "id": row["id"],
            "kind": row["kind"],
            "prompt": OPENINGS[row["kind"]],
            "completions": [row["text"]],
            "bytes": len(row["text"].encode()),
        }
        for row in _rows("passages.jsonl")
    )
    questions = (
        {
            "id": row["id"],
            "kind": row["kind"],
            "prompt": row["question"],
            "completions": row["options"],
            "right": row["right"],
        }
        for row in _rows("questions.jsonl")
    )
    return (*passages, *questions)


@cache
def sha256() -> str:
    """Hash the probe: figures of two versions of it are not compared."""
    return sha256_of(items())


def _rows(name: str) -> list[dict[str, Any]]:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
