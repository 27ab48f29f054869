"""Chooses how much meaning counts beside words, by what is found for labelled rows.

Two numbers decide: whether a right passage is among those shown, and the one-standard-error rule:
the first candidate stays unless another's paired lead is larger than its standard error, as a lead
on few rows is mostly luck. Knows no models that write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from harness.retrieval.gold import is_gold
from harness.retrieval.rerank import Hit
from harness.retrieval.retriever import Retriever
from harness.types import Example

MOST_ROWS = 300
"""Rows that are searched for: a standard error of recall below 3 points."""
Hits = NDArray[np.float64]


def choose_meaning_weight(
    retriever: Retriever,
    rows: Sequence[Example],
    evidence: Mapping[str, Sequence[str]],
    depths: Sequence[int],
    note: Callable[[str, str], None],
) -> None:
    """Set the retriever's weight of meaning to the candidate that finds most.

    Without rows, or with one candidate, the first stays.

    Args:
        retriever: whose weight is set; its index must be complete.
        rows: labelled ones, in an order that says nothing; the first `MOST_ROWS` count.
        evidence: a row's id to the documents that hold its answer.
        depths: numbers of passages that may be shown; recall is averaged over them.
        note: receives what was chosen, and the recalls.
    """
    params = retriever.params
    candidates = params.meaning_weight if params.weighs else []
    if len(candidates) < 2 or not rows:
        return
    rows = rows[:MOST_ROWS]
    queries = [row.query for row in rows]
    vectors = retriever.embedded(queries)
    found: dict[float, Hits] = {}
    for weight in candidates:
        retriever.meaning_weight = weight
        hits = retriever.search_embedded(queries, vectors, max(depths), rerank=False)
        found[weight] = np.array(
            [_recall(h, row, evidence, depths) for h, row in zip(hits, rows, strict=True)]
        )
    retriever.meaning_weight = best_by_one_standard_error(found)
    shown = ", ".join(f"{weight:g}: {hits.mean():.3f}" for weight, hits in found.items())
    at = " and ".join(str(depth) for depth in sorted(set(depths)))
    note(
        "chosen",
        f"meaning_weight = {retriever.meaning_weight:g} by recall at {at} of {len(rows)} labelled"
        f" rows ({shown})",
    )


def best_by_one_standard_error(found: Mapping[float, Hits]) -> float:
    """Return the best candidate, or the first if its lead is within one standard error.

    Args:
        found: candidate to what it found, [rows], the same rows for all.
    """
    first, best = next(iter(found)), max(found, key=lambda weight: found[weight].mean())
    lead = found[best] - found[first]
    error = lead.std(ddof=1) / sqrt(len(lead)) if len(lead) > 1 else float("inf")
    return best if lead.mean() > error else first


def _recall(
    hits: Sequence[Hit],
    row: Example,
    evidence: Mapping[str, Sequence[str]],
    depths: Sequence[int],
) -> float:
    """Return the share of depths within which a right passage is found."""
    of_row = evidence.get(row.query.id, ())
    right = (n for n, hit in enumerate(hits, 1) if is_gold(hit.passage, row, of_row))
    place = next(right, None)
    return sum(place is not None and place <= depth for depth in depths) / len(depths)
