"""Predictions beside what is right of them, as metrics take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.metrics import Items, final_answer, read_choice, without_thoughts
from harness.types import Example, Prediction, TaskInfo


def items_of(
    ids: Sequence[str],
    predictions: Sequence[Prediction],
    targets: Sequence[tuple[str, ...]],
    task: TaskInfo,
    documents: Mapping[str, str],
    evidence: Sequence[tuple[str, ...]] | None = None,
) -> Items:
    """Return the items of some predictions as they are read; one that failed answers nothing.

    Args:
        ids: the ids of the queries.
        predictions: one for each query, in order.
        targets: the accepted answers of each.
        task: of the task, for labels, schema and the phrase for "no answer".
        documents: id to text.
        evidence: ids of the documents that hold each answer; None: nobody named them.
    """
    read = final_answer if task.answer_kind == "text" else without_thoughts
    sources = [_sources(prediction) for prediction in predictions]
    return Items(
        texts=[None if one.error else read(one.text) for one in predictions],
        targets=targets,
        labels=list(task.labels),
        ids=ids,
        sources=sources,
        source_texts=[
            tuple(documents[one] for one in cited or () if one in documents) for cited in sources
        ],
        evidence=[()] * len(predictions) if evidence is None else evidence,
        no_answer=task.no_answer,
        schema=task.schema,
    )


def right_choices(
    predictions: Sequence[Prediction], examples: Sequence[Example], task: TaskInfo
) -> list[bool]:
    """Tell of each answer whether the label that it names, as metrics read it, is accepted.

    Args:
        predictions: one for each example, in order; one that failed is not right.
        examples: with the accepted labels.
        task: of a task whose answers are choices.
    """
    return [
        not given.error and read_choice(given.text, task.labels) in example.targets
        for given, example in zip(predictions, examples, strict=True)
    ]


def _sources(prediction: Prediction) -> tuple[str, ...] | None:
    if prediction.error or prediction.sources is None:
        return None
    return tuple(prediction.sources)
