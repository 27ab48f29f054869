"""How much of the machine's own matrix-product rate prefill and LoRA training reach.

Prefill: sequences of 512 tokens through `score_options`, one option of one token each. Training:
packs of 512 tokens (8 rows of 64) through `tune`, the mean step without the first. Operations
are counted by `operations.py`; the rate is the best of a few square products in the same process,
before and after. No peer.
"""

from __future__ import annotations

import random
from time import perf_counter
from typing import Any

from benchmarks.data import long_text
from benchmarks.machine import has_bf16
from benchmarks.measure import Measurement, measured
from benchmarks.models import our_model
from benchmarks.operations import Shape, forward_operations, lora_operations, shape_of
from benchmarks.sides import Sides

PACKAGES = ()
DTYPES = {"float32": "fp32", "bfloat16": "bf16"}
PREFILL_TOKENS = 512
SEQUENCES = {"cpu": 4, "cuda": 32}
"""Sequences in a call."""
ROW_TOKENS = 64
ROWS_IN_PACK = 8
COMPLETION_TOKENS = 8
CALLS, STEPS = 8, 12
QUICK_CALLS, QUICK_STEPS, QUICK_SEQUENCES = 2, 2, 1
SQUARES = {"cpu": (1024, 2048, 4096), "cuda": (4096, 8192)}
RATE_S = 3.0
"""Seconds spent on products of one size and layout; a size that would need longer is left out."""


def run(sides: Sides) -> dict[str, Any]:
    """Measure both precisions; there is no other side."""
    if sides.quick:
        words = {"calls": QUICK_CALLS, "steps": QUICK_STEPS, "sequences": QUICK_SEQUENCES}
    else:
        words = {"calls": CALLS, "steps": STEPS, "sequences": SEQUENCES[sides.device]}
    native = has_bf16()
    found: dict[str, Any] = {"bf16_native": native}
    peaks = []
    for dtype, short in DTYPES.items():
        if dtype == "bfloat16" and not native:
            sides.say("no bfloat16: the processor has no instructions for it")
            found |= {"prefill_bf16": None, "train_bf16": None}
            continue
        side = sides.run(ours, dtype=dtype, device=sides.device, **words)
        peaks.append(side.peak_rss_bytes)
        values = side.values
        sides.say(
            f"{dtype}: the machine {values['machine']:.1f} GFLOP/s, prefill"
            f" {values['prefill']:.1f}, training {values['train']:.1f}"
        )
        for work in ("prefill", "train"):
            found[f"{work}_{short}"] = values[work] / values["machine"]
            found[f"{work}_{short}_gflops"] = values[work]
            found[f"{work}_{short}_tokens_per_s"] = values[f"{work}_tokens_per_s"]
        found[f"machine_{short}_gflops"] = values["machine"]
        found[f"machine_{short}_by_size"] = values["machine_by_size"]
    return {
        "ours_s": None,
        "peer_s": None,
        "ratio": None,
        "ours_peak_rss_bytes": max(peaks),
        "peer_peak_rss_bytes": None,
        "peer_settings": None,
        **found,
    }


def ours(
    dtype: str, calls: int, sequences: int, steps: int, device: str
) -> tuple[Measurement, Any]:
    """Measure the machine, prefill and training; rates are in 10⁹ operations a second."""
    lm = our_model(device, dtype)
    shape = shape_of(lm.model)
    texts = _Texts(lm.tokenizer)

    def work() -> dict[str, Any]:
        rates = [machine_rates(dtype, device)]
        sequence_s = _sequence_s(lm, texts, calls, sequences)
        step_s = _step_s(lm, texts, steps)
        rates.append(machine_rates(dtype, device))
        by_size = {size: max(rate.get(size, 0.0) for rate in rates) for size in rates[0] | rates[1]}
        return {
            "machine": max(by_size.values()),
            "machine_by_size": by_size,
            **_rates(shape, sequence_s, step_s),
        }

    values, measurement = measured(work)
    return measurement, values


def machine_rates(dtype: str, device: str) -> dict[str, float]:
    """Return the rate of products of square matrices in 10⁹ operations a second, by size.

    The second factor lies as it is or transposed, as linear layers have it: whichever is quicker
    at the smallest size.
    """
    import torch

    rates: dict[str, float] = {}
    layouts = [False, True]
    for size in SQUARES[device]:
        left, right = (
            torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2)
        )
        spent = {flip: _product_s(left, right.T if flip else right) for flip in layouts}
        layouts = [min(spent, key=lambda flip: spent[flip])]
        product_s = spent[layouts[0]]
        rates[str(size)] = 2 * size**3 / product_s / 1e9
        if 2**3 * product_s > RATE_S:  # what the next size would take
            break
    return rates


def _product_s(left: Any, right: Any) -> float:
    """Return the seconds of the quickest product."""
    import torch

    end = perf_counter() + RATE_S
    best = float("inf")
    while best == float("inf") or perf_counter() < end:
        _, measurement = measured(lambda: torch.mm(left, right))
        best = min(best, measurement["wall_s"])
    return best


class _Texts:
    """Sequences of real words, each beginning with a token of its own: nothing can be shared."""

    def __init__(self, tokenizer: Any):
        self._ids = tokenizer.encode(long_text())
        self._draw = random.Random(0)
        self._first = 1000

    def cut(self, tokens: int) -> list[int]:
        """Return the next sequence of so many tokens."""
        start = self._draw.randrange(len(self._ids) - tokens)
        self._first += 1
        return [self._first, *self._ids[start + 1 : start + tokens]]


def _sequence_s(lm: Any, texts: _Texts, calls: int, sequences: int) -> float:
    """Return the mean seconds of a sequence, over some calls after one that warms up."""
    from harness.lm import clear_prefixes, score_options

    spent = []
    for _ in range(calls + 1):
        clear_prefixes()
        prompts = [texts.cut(PREFILL_TOKENS) for _ in range(sequences)]
        start = perf_counter()
        score_options(lm, prompts, [[[5]]] * sequences)
        spent.append(perf_counter() - start)
    clear_prefixes()
    return sum(spent[1:]) / (calls * sequences)


def _step_s(lm: Any, texts: _Texts, steps: int) -> float:
    """Return the mean seconds of a step, without the first."""
    from harness.lm import TuneSettings, add_adapter, tune
    from harness.toolkit import LoraParams, lora_adapter

    add_adapter(lm, lora_adapter(LoraParams(rank=16, alpha=32.0)))
    prompt_tokens = ROW_TOKENS - COMPLETION_TOKENS
    rows = [texts.cut(ROW_TOKENS) for _ in range(ROWS_IN_PACK * (steps + 1))]
    settings = TuneSettings(
        learning_rate=1e-4,
        epochs=1,
        batch_size=ROWS_IN_PACK,
        warmup_share=0.05,
        weight_decay=0.0,
        evaluations_per_epoch=1,
        patience=1,
        checkpointing=False,
    )
    ends: list[float] = []
    pairs = [(row[:prompt_tokens], row[prompt_tokens:]) for row in rows]
    tune(lm, pairs, [], settings, lambda **_: ends.append(perf_counter()))
    return (ends[-1] - ends[0]) / steps


def _rates(shape: Shape, sequence_s: float, step_s: float) -> dict[str, float]:
    """Return 10⁹ useful operations a second, and tokens a second, of both kinds of work.

    The last token of a completion is predicted but never computed, so a row has one less.
    """
    prefill = forward_operations(shape, [PREFILL_TOKENS], 1)
    lengths = [ROW_TOKENS - 1] * ROWS_IN_PACK
    train = lora_operations(shape, lengths, ROWS_IN_PACK * COMPLETION_TOKENS)
    return {
        "prefill": prefill / sequence_s / 1e9,
        "train": train / step_s / 1e9,
        "prefill_tokens_per_s": PREFILL_TOKENS / sequence_s,
        "train_tokens_per_s": sum(lengths) / step_s,
    }
