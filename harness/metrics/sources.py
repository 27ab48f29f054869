"""Metrics of what an answer cites, and of questions that have no answer."""

from __future__ import annotations

from functools import partial

from harness.metrics.metric import Array, Items, Metric, mean_of, some_count
from harness.metrics.reading import plain, squad_normalised
from harness.metrics.words import spaced

RECALL_DEPTHS = (1, 3, 5, 10)


def _rank(sources: tuple[str, ...] | None, evidence: tuple[str, ...]) -> int | None:
    """Return at which place, from 1, the first document that holds the answer is cited.

    A document that is cited twice takes one place.
    """
    cited = list(dict.fromkeys(sources or ()))
    return next((place for place, one in enumerate(cited, start=1) if one in evidence), None)


def _ranks(items: Items) -> list[int | None]:
    return [_rank(s, e) for s, e in zip(items.sources, items.evidence, strict=True)]


def _recall_at(depth: int, items: Items) -> Array:
    """Return [n, 2] over items with evidence: 1 where any stands among the first documents."""
    return some_count(
        [
            float(rank is not None and rank <= depth) if evidence else None
            for rank, evidence in zip(_ranks(items), items.evidence, strict=True)
        ]
    )


def _reciprocal_rank(items: Items) -> Array:
    """Return [n, 2] over items with evidence: 1 / place of the first of it, 0 if it is absent."""
    return some_count(
        [
            (1 / rank if rank else 0.0) if evidence else None
            for rank, evidence in zip(_ranks(items), items.evidence, strict=True)
        ]
    )


def declines(text: str, no_answer: str | None) -> bool:
    """Tell whether an answer is the phrase for "no answer", but for case and marks around it."""
    return no_answer is not None and plain(text) == plain(no_answer)


def unanswerable(targets: tuple[str, ...], no_answer: str | None) -> bool:
    """Tell whether the right answer to an item is that it has none."""
    return any(declines(target, no_answer) for target in targets)


def _declined(items: Items) -> Array:
    """Return [n, 2] over items without an answer: 1 where the answer says so."""
    return some_count(
        [
            float(text is not None and declines(text, items.no_answer))
            if unanswerable(accepted, items.no_answer)
            else None
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def _grounded(items: Items) -> Array:
    """Return [n, 2] over items that answer and cite: the share of words that the documents have.

    A failed answer is worth nothing; a declined one, one without a word and one that cites nothing
    do not count. Where a script sets no spaces, characters stand for words.
    """
    words_of: dict[str, frozenset[str]] = {}
    values: list[float | None] = []
    for text, texts in zip(items.texts, items.source_texts, strict=True):
        if text is None:
            values.append(0.0)
            continue
        said = _words(text)
        if not said or not texts or declines(text, items.no_answer):
            values.append(None)
            continue
        for document in texts:
            if document not in words_of:
                words_of[document] = frozenset(_words(document))
        known = frozenset().union(*(words_of[document] for document in texts))
        values.append(sum(word in known for word in said) / len(said))
    return some_count(values)


def _words(text: str) -> list[str]:
    return spaced(squad_normalised(text)).split()


ALL_KINDS = frozenset({"choice", "text", "json"})
TEXT = frozenset({"text"})
OF_SOURCES = (
    *(
        Metric(
            f"recall_at_{depth}",
            f"share of items whose evidence is among the first {depth} documents cited"
            if depth > 1
            else "share of items whose evidence is the first document cited",
            ALL_KINDS,
            partial(_recall_at, depth),
            mean_of,
            binary=True,
            needs=frozenset({"evidence", "sources"}),
        )
        for depth in RECALL_DEPTHS
    ),
    Metric(
        "mrr",
        "mean of 1 / place of the first cited document that is evidence",
        ALL_KINDS,
        _reciprocal_rank,
        mean_of,
        needs=frozenset({"evidence", "sources"}),
    ),
    Metric(
        "grounded",
        "mean share of an answer's words that stand in the documents it cites",
        TEXT,
        _grounded,
        mean_of,
        needs=frozenset({"documents", "sources"}),
    ),
)
DECLINED = Metric(
    "declined_unanswerable",
    "share of the questions without an answer to which the answer says so",
    TEXT,
    _declined,
    mean_of,
    binary=True,
    needs=frozenset({"no_answer"}),
)
