"""Metrics of free-text answers."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from harness.metrics.choice import right_or_wrong
from harness.metrics.metric import Array, Items, Metric, each_counts, mean_of
from harness.metrics.objects import read_object, written
from harness.metrics.reading import plain, squad_normalised
from harness.metrics.words import WordTokenizer, spaced


def matches(items: Items) -> Array:
    """Return [n, 2]: 1 where an answer equals an accepted one, and 1 for counting.

    Choices are compared as whole labels, JSON objects by their values, whatever their order or
    spaces, and texts by what they say (`reading.plain`).
    """
    if items.schema is not None:
        return _equal(items, _object_text)
    return right_or_wrong(items) if items.labels else _equal(items, plain)


def _equal(items: Items, form: Callable[[str], str | None]) -> Array:
    """Return [n, 2]: 1 where an answer has the form of an accepted one, and 1 for counting."""
    return each_counts(
        [
            text is not None and form(text) in {form(target) for target in accepted}
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def _object_text(text: str) -> str | None:
    value = read_object(text)
    return None if value is None else written(value)


def _verbatim(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


TEXT = frozenset({"text"})
MATCHES = (
    Metric(
        "exact_match",
        "share of answers equal to an accepted one: whole labels, JSON by its values, texts without"
        " case, articles and marks that say nothing",
        frozenset({"text", "choice", "json"}),
        matches,
        mean_of,
        binary=True,
    ),
    Metric(
        "verbatim_match",
        "share of answers that are an accepted one letter for letter, spaces around it aside",
        TEXT,
        partial(_equal, form=_verbatim),
        mean_of,
        binary=True,
    ),
    Metric(
        "squad_exact_match",
        "share of answers equal to an accepted one by SQuAD's rules: every mark is dropped",
        TEXT,
        partial(_equal, form=squad_normalised),
        mean_of,
        binary=True,
    ),
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

    A letter of a script without spaces counts as a word. Where SQuAD's rules leave nothing of one
    of them, an article or a sign, the two agree only if they say the same.
    """
    said, right = (spaced(squad_normalised(each)).split() for each in (text, target))
    if not said or not right:
        return float(plain(text) == plain(target))
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
    """Return sacrebleu's counts of n-grams for each item; they add up to a corpus's.

    Letters of scripts without spaces are words to BLEU, as its own tokenizers have it.
    """
    form = spaced if name == "bleu" else str
    most = max(map(len, items.targets), default=1)
    streams = [
        [form(accepted[place]) if place < len(accepted) else None for accepted in items.targets]
        for place in range(most)
    ]
    if not items.texts:
        return np.zeros((0, 1))
    scorer = _corpus_scorer(name)
    counts = scorer._extract_corpus_statistics([form(text or "") for text in items.texts], streams)
    return np.array(counts, dtype=float)


def _corpus_score(name: str, sums: Array) -> Array:
    scorer = _corpus_scorer(name)
    rows = sums.reshape(-1, sums.shape[-1])
    scores = [scorer._compute_score_from_stats(row.astype(int).tolist()).score for row in rows]
    return np.array(scores).reshape(sums.shape[:-1]) / 100


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
