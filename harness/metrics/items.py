"""Predictions beside what is right of them, as metrics take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from harness.metrics import Items, final_answer, read_choice, without_thoughts
from harness.types import Document, Example, Prediction, TaskInfo


def items_of(
    ids: Sequence[str],
    predictions: Sequence[Prediction],
    targets: Sequence[tuple[str, ...]],
    task: TaskInfo,
    documents: Mapping[str, Document],
    evidence: Sequence[tuple[str, ...]] | None = None,
) -> Items:
    """Return the items of some predictions as they are read; one that failed answers nothing.

    Args:
        ids: the ids of the queries.
        predictions: one for each query, in order.
        targets: the accepted answers of each.
        task: of the task, for labels, schema and the phrase for "no answer".
        documents: those of the task by id; copies of one text count as one document.
        evidence: ids of the documents that hold each answer; None: nobody named them.
    """
    read = final_answer if task.answer_kind == "text" else without_thoughts
    sources = [_sources(prediction) for prediction in predictions]
    gold = [()] * len(predictions) if evidence is None else evidence
    first = _first_of_its_content(documents, [*(s or () for s in sources), *gold])
    return Items(
        texts=[None if one.error else read(one.text) for one in predictions],
        targets=targets,
        labels=list(task.labels),
        ids=ids,
        sources=[
            None if cited is None else tuple(first.get(one, one) for one in cited)
            for cited in sources
        ],
        source_texts=[
            tuple(documents[one].text for one in cited or () if one in documents)
            for cited in sources
        ],
        evidence=[tuple(first.get(one, one) for one in of_row) for of_row in gold],
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


def _first_of_its_content(
    documents: Mapping[str, Document], named: Iterable[Iterable[str]]
) -> dict[str, str]:
    """Return the first of the documents named here that says the same, for each of them."""
    ids = [one for one in dict.fromkeys(chain.from_iterable(named)) if one in documents]
    first: dict[str, str] = {}
    return {one: first.setdefault(documents[one].content, one) for one in ids}


def _sources(prediction: Prediction) -> tuple[str, ...] | None:
    if prediction.error or prediction.sources is None:
        return None
    return tuple(prediction.sources)
