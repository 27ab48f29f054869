"""What answers say, read as metrics read them: for whoever asks twice, or learns from answers.

Knows nothing of what is right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness import metrics
from harness.metrics.items import items_of
from harness.types import AnswerKind, Prediction, TaskInfo

AS_METRIC: dict[AnswerKind, str] = {
    "choice": "accuracy",
    "text": "token_f1",
    "json": "exact_match",
}
"""What says, per kind of answer, how much of the one is in the other."""


def agreement(
    ones: Sequence[Prediction], others: Sequence[Prediction], task: TaskInfo
) -> list[float]:
    """Return how far each two answers agree, from 0 to 1; one that failed agrees with nothing.

    Args:
        ones: answers to some queries.
        others: answers to the same queries, in the same order.
        task: of the task.
    """
    metric = metrics.find(AS_METRIC[task.answer_kind])
    return [
        0.0
        if one.error or other.error
        else metric.value(items_of(["?"], [one], [(other.text,)], task, {}))
        for one, other in zip(ones, others, strict=True)
    ]


def said(answer: Prediction, task: TaskInfo) -> str | None:
    """Return what an answer says in the form of a target; None where it says nothing that is one.

    Of a choice that is the label which it names, of JSON an object that follows the schema.

    Args:
        answer: to a query of the task.
        task: of the task.
    """
    if answer.error:
        return None
    if task.answer_kind == "choice":
        return metrics.read_choice(answer.text, task.labels)
    text = metrics.without_thoughts(answer.text).strip()
    if task.answer_kind == "json" and not _follows(text, task.schema):
        return None
    return text or None


def _follows(text: str, schema: Mapping[str, Any] | None) -> bool:
    from jsonschema import ValidationError, validate

    try:
        validate(json.loads(text), schema or {})
    except (ValueError, ValidationError):
        return False
    return True
