"""LoRA on 160 short examples: 20 steps on batches of 8, completions only, float32 and bfloat16.

Beside: TRL's SFTTrainer with the same adapters, first weights, batches, learning rates, clipping
and AdamW, no checkpointing of activations, at the best of its settings (see `SETTINGS`). The two
trained models are asked the same held-out rows by the same code.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from benchmarks import trl_peer
from benchmarks.data import Row, TextPair, lesson
from benchmarks.lora_setup import BATCH, RATE, SEED, Pair, adapted, start_size, warm_up
from benchmarks.machine import has_bf16
from benchmarks.measure import Measurement, measured
from benchmarks.sides import Side, SideError, Sides, beside

PACKAGES = ("trl",)
EXAMPLES = 160
HELD_OUT = 80
QUICK_EXAMPLES, QUICK_HELD_OUT = 32, 16
"""In bfloat16 on a processor without such instructions: a step takes a minute there."""
TRIED_BATCHES, QUICK_TRIED_BATCHES = 3, 2
"""Steps that a setting of the peer is tried on; the first is not timed."""
Setting = dict[str, bool]
SETTINGS: dict[str, list[Setting]] = {
    "float32": [
        {"padding_free": padding_free, "autocast": False} for padding_free in (False, True)
    ],
    "bfloat16": [
        {"padding_free": padding_free, "autocast": autocast}
        for padding_free in (False, True)
        for autocast in (False, True)
    ],
}
"""TRL's choices that keep the work the same, for weights of each dtype.

padding_free: a batch as one row with position ids instead of a padded rectangle. autocast: TRL's
`bf16`, on by default: what torch deems delicate is computed in float32 between the products.
TRL's `packing` is left out: it makes other batches.
"""


def run(sides: Sides) -> dict[str, Any]:
    """Run both sides in both precisions that the processor has; the smaller ratio counts.

    Emulated, bfloat16 takes a minute a step and says nothing about either side.
    """
    native = has_bf16()
    rows = lesson(QUICK_EXAMPLES, QUICK_HELD_OUT) if sides.quick else lesson(EXAMPLES, HELD_OUT)
    found = {"float32": _precision(sides, "float32", rows, SETTINGS["float32"])}
    settings = SETTINGS["bfloat16"]
    if sides.quick:
        padding_free = found["float32"]["peer_settings"]["padding_free"]
        settings = [one for one in settings if one["padding_free"] == padding_free]
    if native:
        found["bfloat16"] = _precision(sides, "bfloat16", rows, settings)
    else:
        sides.say("no bfloat16: the processor has no instructions for it")
    slowest = min(found.values(), key=lambda one: one["ratio"])
    furthest = max(found.values(), key=_loss_gap)
    return {
        **slowest,
        "ratio_fp32": found["float32"]["ratio"],
        "ratio_bf16": found["bfloat16"]["ratio"] if native else None,
        "bf16_native": native,
        "final_loss_ours": furthest["final_loss_ours"],
        "final_loss_peer": furthest["final_loss_peer"],
        "final_loss_gap": _loss_gap(furthest),
        "max_abs_diff": max(one["max_abs_diff"] for one in found.values()),
        "by_precision": found,
        "peer_settings": {dtype: one["peer_settings"] for dtype, one in found.items()},
    }


def ours(
    dtype: str, examples: list[Row], held_out: list[Row], device: str
) -> tuple[Measurement, Any]:
    """Train with the engine's loop."""
    from harness.lm import TuneSettings, mean_loss, tune

    lm = adapted(dtype, device)
    train, asked = ([_pair(lm, row) for row in rows] for rows in (examples, held_out))
    start = start_size(lm.model)
    warm_up(lm.model)
    settings = TuneSettings(
        learning_rate=RATE,
        epochs=1,
        batch_size=BATCH,
        warmup_share=0.05,
        weight_decay=0.0,
        evaluations_per_epoch=1,
        patience=1,
        seed=SEED,
        checkpointing=False,
    )
    steps: list[dict[str, Any]] = []
    _, measurement = measured(
        lambda: tune(lm, train, [], settings, lambda **step: steps.append(step))
    )
    return measurement, {
        "losses": [step["train_loss"] for step in steps],
        "learning_rates": [step["learning_rate"] for step in steps],
        "start": start,
        "final_loss": mean_loss(lm, asked),
        "train": train,
        "held_out": asked,
    }


def _precision(sides: Sides, dtype: str, rows: TextPair, settings: list[Setting]) -> dict[str, Any]:
    """Run both sides with weights of one dtype, the peer at the best of some settings."""
    words = {"dtype": dtype, "device": sides.device}
    us = sides.run(ours, examples=rows.examples, held_out=rows.held_out, **words)
    train = in_our_order(us.values["train"])
    tokens = sum(len(prompt) + len(completion) for prompt, completion in train)
    rates = us.values["learning_rates"]
    setting, tried = settings[0], []
    if len(settings) > 1:
        few = train[: (QUICK_TRIED_BATCHES if sides.quick else TRIED_BATCHES) * BATCH]
        trial = sides.run(trl_peer.trials, train=few, rates=rates, settings=settings, **words)
        tried = trial.values
        setting = min(tried, key=lambda one: one[1])[0]
    sides.say(f"TRL in {dtype} with {setting}")
    them = sides.run(
        trl_peer.peer,
        train=train,
        held_out=us.values["held_out"],
        rates=rates,
        setting=setting,
        **words,
    )
    return {
        **beside(us, them, us.wall_s, them.wall_s),
        "max_abs_diff": _checked(us, them),
        "final_loss_ours": us.values["final_loss"],
        "final_loss_peer": them.values["final_loss"],
        "steps": len(rates),
        "ours_tokens_per_s": tokens / us.wall_s,
        "peer_tokens_per_s": tokens / them.wall_s,
        "peer_settings": {
            "trl": version("trl"),
            "weights": dtype,
            **setting,
            "tried_s_per_step": tried,
            "optim": them.values["optim"],
        },
    }


def in_our_order(train: Sequence[Pair]) -> list[Pair]:
    """Return the pairs as `harness.lm.training.loop` takes them in its first epoch."""
    shuffled = list(train)
    random.Random(SEED).shuffle(shuffled)
    return shuffled


def _pair(lm: Any, row: Row) -> Pair:
    from harness.lm import answer_tokens, prompt_tokens

    return prompt_tokens(lm, row[0]), answer_tokens(lm, row[1])


def _checked(us: Side, them: Side) -> float:
    """Return the largest difference between the losses of any step.

    Raises:
        SideError: the two sides did not begin with the same weights, or on the same batch.
    """
    ours, peers = us.values["losses"], them.values["losses"]
    gaps = [abs(a - b) for a, b in zip(ours, peers, strict=True)]
    if abs(us.values["start"] / them.values["start"] - 1) > 1e-5:
        raise SideError("the two sides began with different adapter weights")
    if gaps[0] > 0.02 * ours[0]:
        raise SideError(f"the first batches differ: losses {ours[0]:.4f} and {peers[0]:.4f}")
    return max(gaps)


def _loss_gap(one: dict[str, Any]) -> float:
    """Return how far the held-out losses lie apart, relative to the peer's."""
    return abs(one["final_loss_ours"] / one["final_loss_peer"] - 1)
