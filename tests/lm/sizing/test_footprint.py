"""The memory that is predicted from a configuration, beside what is measured."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tiny_configs import CONFIGS
from tiny_models import build

from harness.lm.sizing.footprint import scoring_bytes_per_token, shape, training_bytes_per_token

TOKENS = 512
MEBIBYTE = 2**20
PROGRAM = """
import random, sys
import psutil
from harness.lm import TuneSettings, add_adapter, load, score_options, tune
from harness.lm.sizing.budget import RowLimit
from harness.run.worker.measure import Ruler
from harness.toolkit import LoraParams, lora_adapter
from harness.types import ModelRef

what, location = sys.argv[1:]
words = lambda n, seed: random.Random(seed).choices(range(1000), k=n)
lm = load(ModelRef("m", location), "cpu", "float32")
lm.rows = RowLimit(512)
add_adapter(lm, lora_adapter(LoraParams()))
pairs = [(words(60, n), words(4, n + 9)) for n in range(8)]
settings = TuneSettings(1e-3, 1, 8, 0.1, 0.0, 1, 9, checkpointing=what == "checkpointing")
before = psutil.Process().memory_info().rss
ruler = Ruler()
with ruler.phase("fit"):
    if what == "scoring":
        score_options(lm, [words(180, 1)], [[words(3, n) for n in range(160)]])
    else:
        tune(lm, pairs, [], settings, lambda **_: None)
print(ruler.measurements[0].peak_rss_bytes - before)
"""


def peak_bytes(what, lm):
    """What a piece of work takes at its peak, on top of what a fresh process had."""
    command = [sys.executable, "-c", PROGRAM, what, lm.ref.location]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.model
def test_a_row_of_scores_takes_what_is_predicted(smollm2):
    predicted = TOKENS * scoring_bytes_per_token(shape(smollm2.model.config), 4)
    assert predicted / 3 < peak_bytes("scoring", smollm2) < predicted + 100 * MEBIBYTE


@pytest.mark.model
@pytest.mark.parametrize("what", ["plain", "checkpointing"])
def test_a_training_step_takes_what_is_predicted(smollm2, what):
    sizes = shape(smollm2.model.config)
    per_token = training_bytes_per_token(sizes, 4, checkpointing=what == "checkpointing")
    predicted = TOKENS * per_token
    assert predicted / 1.5 < peak_bytes(what, smollm2) < predicted + 200 * MEBIBYTE


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_every_architecture_has_a_shape(name):
    lm = build(name)
    sizes = shape(lm.model.config)
    assert sizes.vocabulary == 120
    assert sizes.hidden == 32
    assert sizes.layers in {2, 3, 4, 7}
