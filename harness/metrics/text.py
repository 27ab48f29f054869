"""Metrics of free-text answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from harness.metrics.answers import normalise_answer
from harness.metrics.metric import Array, Items, Metric, each_counts, mean_of
from harness.metrics.objects import read_object, written
from harness.metrics.words import WordTokenizer


def matches(items: Items) -> Array:
    """Return [n, 2]: 1 where an answer equals an accepted one, and 1 for counting.

    Texts are compared normalised; JSON objects by their values, whatever their order or spaces.
    """
    same = normalise_answer if items.schema is None else _object_text
    return each_counts(
        [
            text is not None and same(text) in {same(target) for target in accepted}
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def _object_text(text: str) -> str | None:
    value = read_object(text)
    return None if value is None else written(value)


EXACT_MATCH = Metric(
    "exact_match",
    "share of answers equal to an accepted one: texts by SQuAD's normalisation, JSON by its values",
    frozenset({"text", "choice", "json"}),
    matches,
    mean_of,
    binary=True,
)


def _best_of(value: Callable[[str, str], float], items: Items) -> Array:
    """Return [n, 2]: an item's value against the target that suits it best, and 1 for counting."""
    return each_counts(
        [
            0.0 if text is None else max(value(text, target) for target in accepted)
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def token_f1(text: str, target: str) -> float:
    """Return F1 over the words two answers share (SQuAD's evaluate-v2.0).

    Two empty answers agree; an empty one and another do not.
    """
    said, right = normalise_answer(text).split(), normalise_answer(target).split()
    if not said or not right:
        return float(said == right)
    return 2 * sum((Counter(said) & Counter(right)).values()) / (len(said) + len(right))


def _rouge_l(items: Items) -> Array:
    """Return [n, 2]: rouge-score's ROUGE-L without stemming, and 1 for counting.

    Texts are cut by `WordTokenizer`: as rouge-score does where they are ASCII. Elsewhere it would
    drop letters: "café" would be "caf", and a Russian answer empty. Where a script sets no spaces,
    the sequence is one of characters.
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=WordTokenizer())
    return _best_of(
        lambda text, target: float(scorer.score(target, text)["rougeL"].fmeasure), items
    )


def _corpus_scorer(name: str) -> Any:
    from sacrebleu.metrics import BLEU, CHRF

    return {"bleu": BLEU, "chrf": CHRF}[name]()


def _corpus_statistics(name: str, items: Items) -> Array:
    """Return sacrebleu's counts of n-grams for each item; they add up to a corpus's."""
    most = max(map(len, items.targets), default=1)
    streams = [
        [accepted[place] if place < len(accepted) else None for accepted in items.targets]
        for place in range(most)
    ]
    if not items.texts:
        return np.zeros((0, 1))
    scorer = _corpus_scorer(name)
    counts = scorer._extract_corpus_statistics([text or "" for text in items.texts], streams)
    return np.array(counts, dtype=float)


def _corpus_score(name: str, sums: Array) -> Array:
    scorer = _corpus_scorer(name)
    rows = sums.reshape(-1, sums.shape[-1])
    scores = [scorer._compute_score_from_stats(row.astype(int).tolist()).score for row in rows]
    return np.array(scores).reshape(sums.shape[:-1]) / 100


TEXT = frozenset({"text"})
OF_TEXTS = (
    Metric(
        "token_f1",
        "mean F1 over the words an answer shares with an accepted one, by SQuAD's rules",
        TEXT,
        partial(_best_of, token_f1),
        mean_of,
    ),
    Metric(
        "rouge_l", "mean F1 of the longest common sequence (rouge-score)", TEXT, _rouge_l, mean_of
    ),
    *(
        Metric(
            name,
            summary,
            TEXT,
            partial(_corpus_statistics, name),
            partial(_corpus_score, name),
        )
        for name, summary in (
            ("bleu", "corpus BLEU, from 0 to 1 (sacrebleu)"),
            ("chrf", "corpus chrF2, from 0 to 1 (sacrebleu)"),
        )
    ),
)
"""BLEU and chrF are of the whole corpus: sacrebleu's counts add up, so they are resampled as such,
through the two functions that its own bootstrap uses."""
