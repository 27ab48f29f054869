"""Likely label errors: rows whose label a classifier that never saw them does not believe.

Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068, sections 3.1 and 3.2).
Their package, cleanlab, is under the AGPL, which a library of another licence cannot depend on; the
method is one page. Knows nothing of splits.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.store.finding import Finding

FOLDS = 5
STRENGTHS = {"words": 1.0, "sentence vectors": 10.0}
"""C of the classifier: scikit-learn's default for words, since weaker penalties learn wrong labels
by heart; vectors have few dimensions to do that in. Of 500 wrong labels among banking77's 10,003
training rows, words find 44%, and 54% of what they doubt was made wrong; vectors 71% and 74%."""
CHARACTERS_TO = 2000
"""Rows up to which characters count beside words; with more they cost minutes and add little."""
PAIRS_TO = 20_000
"""Rows up to which pairs of words count too, and words are told apart; of more rows words alone are
hashed, as their vocabulary would take gigabytes."""
HASHED_TO = 2**16
VECTORS_TO = 2_000_000
"""Characters of all rows up to which their vectors are computed: some minutes on two cores."""
FEWEST_ROWS = 20
MOST_WEIGHTS = 10_000_000
"""Rows times labels that are checked, of more a seeded sample: the classifier has a weight for each
label and each word, and its optimiser keeps twenty times as many numbers."""
SHOWN = 5
KIND = "likely label errors"
Probabilities = NDArray[np.float64]
Embed = Callable[[Sequence[str]], Any]


class Doubted(NamedTuple):
    """A row whose label is doubted."""

    at: int
    label: int
    """Number of the label that it should have."""
    margin: float
    """Probability of the given label less that of the other: the lower, the surer."""


def doubted(probabilities: Probabilities, given: Sequence[int]) -> list[Doubted]:
    """Return the rows outside the diagonal of the confident joint, the surest first.

    A row counts for label j if its probability of j is at least the mean one of the rows that are
    given j (equation 2 of the paper); if it does for several, for the most probable (the paper's
    collision rule). It is doubted where that is not its given label.

    Args:
        probabilities: out of fold, [rows, labels]; 0 for labels that a fold did not learn.
        given: number of the label of each row.
    """
    labels = np.asarray(given)
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, own, probabilities.shape[1])
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    thresholds = np.where(counts > 1, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    best = confident.argmax(axis=1)
    # A label of one row alone is learnt by no fold that asks it: of it nothing can be said, and
    # no other row is said to have it.
    off = (confident.max(axis=1) > 0) & (best != labels) & (counts[labels] > 1)
    rows = np.flatnonzero(off)
    found = [
        Doubted(int(at), int(best[at]), float(own[at] - probabilities[at, best[at]])) for at in rows
    ]
    return sorted(found, key=lambda one: one.margin)


def folds(keys: Sequence[str], given: Sequence[int], seed: int = 0) -> list[int]:
    """Return the fold of each row: labels are spread evenly, and rows of one input stay together.

    A copy of a row in another fold would vouch for its label, be it right or wrong.
    """
    first: dict[int, list[str]] = defaultdict(list)
    for key, label in dict(zip(reversed(keys), reversed(given), strict=True)).items():
        first[label].append(key)
    fold: dict[str, int] = {}
    at, draw = 0, random.Random(seed)
    for label in sorted(first):
        draw.shuffle(first[label])
        for key in first[label]:
            fold[key] = at % FOLDS
            at += 1
    return [fold[key] for key in keys]


def out_of_fold(
    vectors: Any, given: Sequence[int], fold: Sequence[int], strength: float
) -> Probabilities:
    """Return each row's probabilities by a classifier that did not learn from its fold.

    Args:
        vectors: [rows, dimensions], dense or sparse.
        given: number of the label of each row.
        fold: of each row.
        strength: C of the classifier.
    """
    from harness.errors import StrategyError
    from harness.toolkit.linear_classifier import fit_classifier

    labels, parts = np.asarray(given), np.asarray(fold)
    found = np.zeros((len(labels), int(labels.max()) + 1))
    for part in range(FOLDS):
        learnt, asked = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        if not (len(learnt) and len(asked)):
            continue
        names = [str(labels[at]) for at in learnt]
        try:
            classifier = fit_classifier(vectors[learnt], names, strength)
        except StrategyError:
            continue  # one label alone
        columns = np.array([int(name) for name in classifier.classes_])
        found[np.ix_(asked, columns)] = classifier.predict_proba(vectors[asked])
    return found


def _believed(
    texts: Sequence[str], given: Sequence[int], fold: Sequence[int], embed: Embed | None
) -> tuple[Probabilities, str]:
    """Return probabilities out of fold, and what the classifier reads.

    Of words and sentence vectors those that agree with more of the labels: vectors where they know
    the language, words where they do not.
    """
    read = {"words": words_of(texts)}
    if embed is not None:
        read["sentence vectors"] = embed(texts)
    found = {
        name: out_of_fold(vectors, given, fold, STRENGTHS[name])
        for name, vectors in read.items()
        if vectors is not None
    }
    best = max(found, key=lambda name: _agreeing(found[name], given), default="words")
    return found.get(best, np.zeros((len(given), max(given) + 1))), best


def _agreeing(probabilities: Probabilities, given: Sequence[int]) -> int:
    return int((probabilities.argmax(axis=1) == np.asarray(given)).sum())


def words_of(texts: Sequence[str]) -> Any:
    """Return the words of all rows, sparse, [rows, terms]; None: they have none.

    Words tell no fold another's labels, so they are looked up once.
    """
    from harness.errors import StrategyError
    from harness.toolkit.word_features import WordFeatures

    if len(texts) <= PAIRS_TO:
        try:
            return WordFeatures.learnt(texts, len(texts) <= CHARACTERS_TO).of(texts)
        except StrategyError:
            return None
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import HashingVectorizer

    return csr_array(HashingVectorizer(n_features=HASHED_TO, alternate_sign=False).transform(texts))


def label_errors(
    ids: Sequence[str],
    keys: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str],
    embed: Embed | None = None,
) -> tuple[Finding, ...]:
    """Return what is likely to be labelled wrongly, if anything is.

    Args:
        ids: of all rows.
        keys: the same for rows that ask the same.
        texts: as a model reads them.
        labels: the label of each.
        embed: returns the vectors of texts, [texts, dimensions]; not called for more text than
            `VECTORS_TO`, nor more rows than `PAIRS_TO`, which are read by their words. None, or if
            it returns None: all are.
    """
    names, given = np.unique(np.asarray(labels), return_inverse=True)
    if len(names) < 2 or len(ids) < FEWEST_ROWS:
        return ()
    chosen, drawn = _sample(len(ids), len(names)), ""
    if len(chosen) < len(ids):
        ids, keys, texts, labels = (
            [column[at] for at in chosen] for column in (ids, keys, texts, labels)
        )
        given, drawn = given[chosen], " checked, drawn at random,"
    numbers = given.tolist()
    if len(texts) > PAIRS_TO or sum(map(len, texts)) > VECTORS_TO:
        embed = None
    probabilities, read = _believed(texts, numbers, folds(keys, numbers), embed)
    found = doubted(probabilities, numbers)
    if not found:
        return ()
    told = "; ".join(
        f"{ids[one.at]} is '{labels[one.at]}', likely '{names[one.label]}'" for one in found[:SHOWN]
    )
    text = (
        f"{len(found)} of {len(ids)} rows{drawn} ({len(found) / len(ids):.1%}) have a label that a"
        f" classifier of {read}, trained on the others, does not believe, the surest first: {told}"
    )
    remedy = "look at them: some are hard and right, others are wrong and worth correcting"
    # All rows, for whoever leaves them out: this finding is never kept in a record.
    rows = tuple(ids[one.at] for one in found)
    return (
        Finding(
            kind=KIND, text=text, count=len(rows), rows=rows, severity="warning", remedy=remedy
        ),
    )


def _sample(n: int, labels: int) -> list[int]:
    """Return the places of the rows that are checked, in their order."""
    most = max(FEWEST_ROWS, MOST_WEIGHTS // labels)
    return sorted(random.Random(0).sample(range(n), most)) if n > most else list(range(n))
