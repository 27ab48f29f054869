"""Guesses from targets what kind of answer a task has: labels, JSON objects or texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.files.json_text import parsed

MOST_LABELS = 1000
LONGEST_LABEL = 100
"""Characters; a longer text that repeats is a stock answer."""
ROWS_A_LABEL = 4
"""Rows for each different target, on average, from which targets are taken for labels."""
MOST_ALONE = 0.02
"""Share of the rows whose target may stand once all the same."""
FEWEST = 2
"""Rows below which there is nothing to compare."""
SHORT = 12
"""Words up to which an answer is scored by its words (token_f1), not by its order (rouge_l)."""
CHEAP = {"choice": "majority, tfidf", "text": "majority, nearest", "json": "majority, nearest"}
"""Arms that take seconds, by the kind of answer."""
OTHERS = ("zero_shot", "few_shot", "lora")
"""Arms that ask a language model, for any kind of answer."""
INSTRUCTIONS = {
    "choice": "Which of the labels fits this text?",
    "text": "Answer this question in a few words.",
    "json": "Turn this text into a record.",
}


@dataclass(frozen=True)
class Form:
    """What an answer looks like."""

    kind: str
    why: str
    metric: str
    answer: Mapping[str, Any]
    schema: Mapping[str, Any] | None = None

    @property
    def cheap(self) -> list[str]:
        """The arms that take seconds."""
        return CHEAP[self.kind].split(", ")

    @property
    def others(self) -> list[str]:
        """The arms that take longer, as comments of a list."""
        return [f"# - {arm}" for arm in OTHERS]

    @property
    def instruction(self) -> str:
        """What is asked, as long as nobody says it better."""
        return INSTRUCTIONS[self.kind]


def form_of(targets: Sequence[str], kind: str | None = None) -> Form:
    """Return what kind of answer targets are.

    Args:
        targets: as texts.
        kind: as the user says; None: it is guessed.

    Raises:
        UserError: they cannot be of that kind.
    """
    objects = [object_of(target) for target in targets]
    if kind == "json" and None in objects:
        n = sum(value is None for value in objects)
        what = f"--kind json: {n} of {len(targets)} targets are no JSON objects"
        raise UserError(f"{what} → mend them, or leave --kind out")
    if kind in ("json", None) and None not in objects:
        why = f"answers are JSON objects: all {len(targets)} targets are; schema.json is inferred"
        schema = schema_of([value for value in objects if value is not None])
        return Form("json", why, "field_f1", {"kind": "json", "schema": "schema.json"}, schema)
    counts = Counter(target.strip() for target in targets)
    if kind == "choice" or (kind is None and _are_labels(counts, targets)):
        why = f"answers are a choice: {len(targets)} targets are of {len(counts)} different texts"
        labels = sorted(label for label in counts if label)
        return Form("choice", why, "macro_f1", {"kind": "choice", "labels": labels})
    words = sorted(len(target.split()) for target in targets)[len(targets) // 2]
    metric = "token_f1" if words <= SHORT else "rouge_l"
    why = f"answers are texts: {len(counts)} different ones in {len(targets)} rows"
    return Form("text", f"{why}, scored by {metric}", metric, {"kind": "text"})


def _are_labels(counts: Counter[str], targets: Sequence[str]) -> bool:
    alone = sum(count == 1 for count in counts.values())
    return (
        2 <= len(counts) <= min(MOST_LABELS, len(targets) / ROWS_A_LABEL)
        and alone <= MOST_ALONE * len(targets)
        and max(map(len, counts)) <= LONGEST_LABEL
        and not any("\n" in target for target in counts)
    )


def object_of(target: str) -> dict[str, Any] | None:
    """Return the JSON object that a target is; None: it is none, or an empty one."""
    try:
        value = parsed(target)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def schema_of(values: Sequence[Any]) -> dict[str, Any]:
    """Return a JSON schema that all values are valid under; objects have no keys that none has."""
    kinds: dict[str, list[Any]] = {}
    for value in values:
        kinds.setdefault(_kind(value), []).append(value)
    if "integer" in kinds and "number" in kinds:
        kinds["number"] += kinds.pop("integer")
    schema: dict[str, Any] = {
        "type": sorted(kinds) if len(kinds) > 1 else next(iter(kinds), "null")
    }
    if objects := kinds.get("object"):
        keys = dict.fromkeys(key for value in objects for key in value)
        schema["properties"] = {
            key: schema_of([value[key] for value in objects if key in value]) for key in keys
        }
        schema["required"] = [key for key in keys if all(key in value for value in objects)]
        schema["additionalProperties"] = False
    if lists := kinds.get("array"):
        items = [item for value in lists for item in value]
        schema["items"] = schema_of(items) if items else {}
    return schema


def _kind(value: Any) -> str:
    """Return a value's type as JSON schemas name it."""
    names = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    if value is None:
        return "null"
    return "number" if isinstance(value, float) else names[type(value)]
