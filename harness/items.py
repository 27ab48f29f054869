"""Predictions beside what is right of them, as metrics take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.metrics import Items
from harness.types import Prediction, TaskFacts


def items_of(
    ids: Sequence[str],
    predictions: Sequence[Prediction],
    targets: Sequence[tuple[str, ...]],
    facts: TaskFacts,
    documents: Mapping[str, str],
    evidence: Sequence[tuple[str, ...]] | None = None,
) -> Items:
    """Return the items of some predictions; one that failed answers and cites nothing.

    Args:
        ids: the ids of the queries.
        predictions: one for each query, in order.
        targets: the accepted answers of each.
        facts: of the task, for labels, schema and the phrase for "no answer".
        documents: id to text.
        evidence: ids of the documents that hold each answer; None: nobody named them.
    """
    sources = [_sources(prediction) for prediction in predictions]
    return Items(
        texts=[None if prediction.error else prediction.text for prediction in predictions],
        targets=targets,
        labels=list(facts.labels),
        ids=ids,
        sources=sources,
        source_texts=[
            tuple(documents[one] for one in cited or () if one in documents) for cited in sources
        ],
        evidence=[()] * len(predictions) if evidence is None else evidence,
        no_answer=facts.no_answer,
        schema=facts.schema,
    )


def _sources(prediction: Prediction) -> tuple[str, ...] | None:
    if prediction.error or prediction.sources is None:
        return None
    return tuple(prediction.sources)
