"""How many wrong labels `check --deep` finds, and how much of what it doubts is wrong.

Labels of banking77's training rows are made wrong at random, by words and by sentence vectors. What
it doubts beyond them may be wrong in the set itself, so that precision is a lower bound. No peer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import process_time
from typing import Any

import numpy as np

from benchmarks.measure import Measurement, measured
from benchmarks.public_sets import rows
from benchmarks.sides import NO_PEER, Sides
from harness.task.audit.label_errors import STRENGTHS, doubted, folds, out_of_fold, words_of
from harness.task.deep_audit import vectors_of

PACKAGES = ()
MODEL = None
SEED = 0
WRONG_SHARE = 0.05
QUICK_LABELS = 10
READERS = {"words": words_of, "sentence vectors": vectors_of}


def run(sides: Sides) -> dict[str, Any]:
    """Look for the wrong labels in each way."""
    figures = {}
    for reader in READERS:
        side = sides.run(searched, reader=reader, quick=sides.quick)
        figures[reader] = side.values
        sides.say(
            f"{reader}: {side.values['found_n']} of {side.values['wrong_n']} wrong labels are"
            f" among {side.values['doubted_n']} doubted, {side.values['found_first_n']} among"
            f" the first {side.values['wrong_n']}; {side.values['cpu_s']:.0f} s of CPU"
        )
    return {**NO_PEER, "figures": figures}


def searched(reader: str, quick: bool) -> tuple[Measurement, dict[str, Any]]:
    """Make labels wrong, doubt them, and count."""
    texts, labels, wrong = _planted(quick)
    given = np.unique(np.asarray(labels), return_inverse=True)[1].tolist()

    def work() -> list[int]:
        vectors = READERS[reader](texts)
        probabilities = out_of_fold(vectors, given, folds(texts, given), STRENGTHS[reader])
        return [one.at for one in doubted(probabilities, given)]

    began = process_time()
    found, measurement = measured(work)
    return measurement, {
        "rows_n": len(texts),
        "wrong_n": len(wrong),
        "doubted_n": len(found),
        "found_n": len(wrong & set(found)),
        "found_first_n": len(wrong & set(found[: len(wrong)])),
        "recall": len(wrong & set(found)) / len(wrong),
        "precision_at_least": len(wrong & set(found)) / max(1, len(found)),
        "cpu_s": process_time() - began,
    }


def _planted(quick: bool) -> tuple[Sequence[str], Sequence[str], set[int]]:
    """Return texts, labels of which some are made wrong, and the places of those."""
    given = rows("banking77", "train.jsonl")
    names = sorted({row["label"] for row in given})
    if quick:
        names = names[:QUICK_LABELS]
        given = [row for row in given if row["label"] in names]
    draw = random.Random(SEED)
    wrong = set(draw.sample(range(len(given)), round(WRONG_SHARE * len(given))))
    labels = [
        draw.choice([name for name in names if name != row["label"]])
        if at in wrong
        else row["label"]
        for at, row in enumerate(given)
    ]
    return [row["input"] for row in given], labels, wrong
