"""Draws the rows that a trial learns from, where they are not all that the task gives.

A size is so many labelled rows: train and validation both shrink, in the task's own proportion, so
that neither early stopping nor a choice of settings uses labels that the point would not have.
Subsets are nested within a repeat, and stratified by label. Rows are drawn one by one, not by
cluster: train and validation are apart already, and a size is exact. Knows nothing of arms.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.probes.typos import with_typos
from harness.store.rows_variant import RowsVariant
from harness.task.curve_keys import PARAPHRASE
from harness.types import Example, Split

MADE = "~"
"""Stands between the id of a row and how another was made of it: "row-7~typo-1"."""
Maker = Callable[[str, random.Random], str]
MAKERS: Mapping[str, Maker] = {"typo": with_typos}
"""How a text is made of a text, by the kind's name; paraphrases stand in a file."""
Texts = Mapping[str, Sequence[str]]
NONE: Texts = {}


@dataclass(frozen=True)
class LearntRows:
    """What a trial learns from."""

    train: Split
    validation: Split
    made_of: Mapping[str, str]
    """Id of each made row to that of the row that it is made of."""


def learnt_rows(
    train: Split,
    validation: Split,
    variant: RowsVariant,
    *,
    by_target: bool,
    paraphrases: Texts = NONE,
) -> LearntRows:
    """Return the rows of a variant, in the order in which they are given.

    Args:
        train: all that there are.
        validation: likewise.
        variant: which of them, and what is done to them.
        by_target: whether answers are labels, of which each keeps its share.
        paraphrases: of training rows, by their ids.
    """
    made_of: dict[str, str] = {}
    if variant.size is not None:
        n_train, n_validation = shares(variant.size, len(train), len(validation))
        train = _subset(train, n_train, variant, by_target)
        validation = _subset(validation, n_validation, variant, by_target)
    if variant.noise:
        train = _with_noise(train, variant)
    if variant.factor > 1:
        train, made_of = _augmented(train, variant, paraphrases)
    return LearntRows(train, validation, made_of)


def shares(size: int, train_n: int, validation_n: int) -> tuple[int, int]:
    """Return how many training and validation rows a size has: the task's proportion, rounded.

    There is always a training row; a validation row only where its share is at least a half.
    """
    total = train_n + validation_n
    of_validation = min((2 * size * validation_n + total) // (2 * total), max(size - 1, 0))
    return size - of_validation, of_validation


def _subset(split: Split, n: int, variant: RowsVariant, by_target: bool) -> Split:
    """Return the first n rows of the repeat's order, as they stand in the split.

    Each label's first row comes before any label's second one, the most frequent label's first of
    all; then labels follow in proportion: the k-th of m rows stands at share (k + 1/2)/m, so that
    any cut is stratified, and every smaller cut lies within it.
    """
    strata: dict[str, list[int]] = defaultdict(list)
    for position in sorted(range(len(split)), key=lambda at: _rank(split[at], variant)):
        strata[split[position].targets[0] if by_target else ""].append(position)
    order = sorted(
        ((k > 0 and by_target, (k + 0.5) / len(positions), _hash(variant, label), position))
        for label, positions in strata.items()
        for k, position in enumerate(positions)
    )
    chosen = sorted(position for *_, position in order[:n])
    return Split(split.name, tuple(split[position] for position in chosen))


def _rank(example: Example, variant: RowsVariant) -> bytes:
    return _hash(variant, example.query.id)


def _hash(variant: RowsVariant, text: str) -> bytes:
    """Return what orders rows and labels in a repeat: neither size nor noise decides it."""
    key = f"curve {variant.seed}:{variant.repeat}:{text}"
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()


def _draw(variant: RowsVariant, what: str, row_id: str = "") -> random.Random:
    return random.Random(int.from_bytes(_hash(variant, f"{what} {row_id}"), "big"))


def _with_noise(train: Split, variant: RowsVariant) -> Split:
    """Return training rows of which a share have another row's answer that is none of theirs.

    Where answers are labels, each other label is as likely as the rest of those that occur.
    """
    answers = sorted({example.targets[0] for example in train})
    wrong = round(variant.noise * len(train))
    ranked = sorted(range(len(train)), key=lambda at: _hash(variant, f"noise {train[at].query.id}"))
    rows = list(train)
    for position in ranked[:wrong]:
        row = rows[position]
        others = [answer for answer in answers if answer not in row.targets]
        if others:
            answer = _draw(variant, "answer", row.query.id).choice(others)
            rows[position] = replace(row, targets=(answer,))
    return Split(train.name, tuple(rows))


def kinds_of(row_id: str, factor: int, kinds: Sequence[str]) -> list[str]:
    """Return what the further rows of a row are made by: in turn, from the one that its id says.

    So each kind has its share where one further row is made of each, and a row has the same kinds
    whichever others there are.
    """
    digest = hashlib.sha256(f"augment {row_id}".encode(errors="surrogatepass")).digest()
    first = int.from_bytes(digest, "big")
    return [kinds[(first + number) % len(kinds)] for number in range(factor - 1)]


def _augmented(
    train: Split, variant: RowsVariant, paraphrases: Texts
) -> tuple[Split, dict[str, str]]:
    """Return each training row with those that are made of it behind it.

    One whose text no kind can change has none: a copy would only weigh it more.
    """
    rows: list[Example] = []
    made_of: dict[str, str] = {}
    for row in train:
        rows.append(row)
        turns: Counter[str] = Counter()
        for number, kind in enumerate(kinds_of(row.query.id, variant.factor, variant.kinds)):
            if kind == PARAPHRASE:
                known = paraphrases.get(row.query.id, ())
                text = known[turns[kind]] if turns[kind] < len(known) else row.query.text
            else:
                text = _made(row.query.text, kind, _draw(variant, f"{kind} {number}", row.query.id))
            turns[kind] += 1
            if text != row.query.text:
                made = f"{row.query.id}{MADE}{kind}-{number + 1}"
                rows.append(replace(row, query=replace(row.query, id=made, text=text)))
                made_of[made] = row.query.id
    return Split(train.name, tuple(rows)), made_of


def _made(text: str, kind: str, draw: random.Random) -> str:
    """Return another text of a kind; the same one where ten tries change nothing."""
    for _ in range(10):
        if (made := MAKERS[kind](text, draw)) != text:
            return made
    return text
