"""Settings and random pairs for the tests that tune tiny models."""

from __future__ import annotations

import random

from tiny_configs import WORDS

from harness.lm import TuneSettings


def settings(**changed):
    given = {
        "learning_rate": 1e-2,
        "epochs": 3,
        "batch_size": 4,
        "warmup_share": 0.1,
        "weight_decay": 0.01,
        "evaluations_per_epoch": 1,
        "patience": 99,
    }
    return TuneSettings(**(given | changed))


def pairs(seed, n=12):
    draw = random.Random(seed)
    words = lambda k: [draw.randrange(WORDS) for _ in range(k)]  # noqa: E731
    opening = words(10)
    return [(opening + words(draw.randint(1, 9)), words(draw.randint(1, 4))) for _ in range(n)]
