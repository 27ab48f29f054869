"""Pairs are drawn evenly, and tuning on them brings texts of one class together."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from small_world import write_embedder

from harness.retrieval import ContrastiveSettings, Embedder, steps_of, tune_on_pairs
from harness.retrieval.contrastive import pairs
from harness.retrieval.tune_embedder import with_decay

ROWS = [("cloud", "sky"), ("bird", "sky"), ("star", "sky"), ("wave", "sea"), ("fish", "sea")]
LABEL = dict(ROWS)


def test_pairs_of_both_kinds_come_by_turns_and_are_what_they_say():
    drawn = list(islice(pairs(ROWS, 0), 4000))
    assert [same for _, _, same in drawn[:4]] == [1.0, 0.0, 1.0, 0.0]
    assert all((LABEL[one] == LABEL[other]) == bool(same) for one, other, same in drawn)
    assert all(one != other for one, other, _ in drawn)
    kinds = Counter(frozenset(pair[:2]) for pair in drawn if pair[2])
    assert len(kinds) == 3 + 1  # pairs in the sky, pairs in the sea
    assert all(count / 2000 == pytest.approx(1 / 4, abs=0.05) for count in kinds.values())
    assert list(islice(pairs(ROWS, 0), 9)) == drawn[:9]


def test_one_row_a_class_is_paired_with_itself():
    drawn = list(islice(pairs([("cloud", "sky"), ("fish", "sea")], 0), 20))
    assert {same for one, other, same in drawn if one == other} == {1.0}
    assert {same for one, other, same in drawn if one != other} == {0.0}


@pytest.mark.parametrize(
    ("rows", "batch", "most", "steps"),
    [
        (ROWS, 2, 1000, 6),  # 4 pairs of one class, 6 of two: 12 in all, 2 at once
        (ROWS, 16, 1000, 1),
        ([(str(n), str(n % 77)) for n in range(10_000)], 16, 1000, 1000),  # else 6 million
    ],
)
def test_one_epoch_is_made_up_to_the_limit(rows, batch, most, steps):
    assert steps_of(rows, batch, most) == steps


def test_texts_of_one_class_come_to_lie_together(tmp_path):
    embedder = Embedder(write_embedder(tmp_path), dtype="float32")
    logged = []

    def apart():
        vectors = embedder.embed([text for text, _ in ROWS])
        cosines = vectors @ vectors.T
        alike = np.array([[a == b for _, b in ROWS] for _, a in ROWS])
        return cosines[alike].mean() - cosines[~alike].mean()

    before = apart()
    settings = ContrastiveSettings(1e-3, 2, 30, 0.1, 0)
    steps = tune_on_pairs(embedder, ROWS * 3, settings, lambda **row: logged.append(row))
    assert steps == 30
    assert apart() > before + 0.2
    assert [row["step"] for row in logged] == [25, 30]
    assert logged[-1]["learning_rate"] == pytest.approx(0.0)
    assert logged[-1]["train_loss"] < logged[0]["train_loss"]


def test_the_rate_rises_and_falls_to_nothing():
    import torch

    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([weight], lr=1.0)
    schedule, rates = with_decay(optimiser, 10, 0.2), []
    for _ in range(10):
        rates.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    assert rates == pytest.approx([0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    assert schedule.get_last_lr()[0] == 0
