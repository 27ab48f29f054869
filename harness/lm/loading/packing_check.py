"""The check that decides a model's route when it is loaded: packed rows against plain passes.

An attention implementation may ignore a mask or bend it silently (a sliding window, positions
taken from the row instead of from the inputs, recurrent layers). So a model is packed only if it
gives the same log-likelihoods packed as it does one sequence at a time. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from harness.errors import is_out_of_memory
from harness.lm.inference import plain
from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.scoring import score_packed
from harness.lm.inference.tree_inputs import windows
from harness.lm.local_model import LanguageModel
from harness.lm.sizing.budget import RowLimit

PER_TOKEN = 1e-3
"""Largest difference of a token's log-likelihood that is rounding, in float32."""
PER_TOKEN_HALF = 0.25
"""In bfloat16, where there is no memory for a check in float32: two roundings of a logit between
16 and 32 with 8 bits, 2 × 2⁴ / 2⁷."""
PROOF_WINDOW = 8
"""What a sliding window is shrunk to for the check, in tokens."""
LONGEST_STEM = 1024
"""Tokens. A model that hides a window longer than this in its layers is not packed."""


def packing_is_exact(lm: LanguageModel) -> bool:
    """Compare packed branches, longer than any window, with plain passes.

    Checked are both ways a row is computed: by itself, as in training, and behind a kept prefix.
    The check runs in float32 whatever the model's format: half precision would hide a wrong mask
    behind its rounding.
    """
    try:
        return _agrees(lm, in_float32=True)
    except Exception as problem:  # whatever a model does not stand is a reason not to pack it
        if not is_out_of_memory(problem):
            return False
    lm.note("engine", "no memory to check packing in float32: checked in half precision")
    try:
        return _agrees(lm, in_float32=False)
    except Exception:
        return False


def _agrees(lm: LanguageModel, in_float32: bool) -> bool:
    config = lm.model.config.get_text_config(decoder=True)
    stem = max([3 * SHORTEST, *(4 + size for size in _hidden_windows(config))])
    if windows(config) is None or stem > LONGEST_STEM:
        return False
    token = [5 + n % max(1, min(40, config.vocab_size - 5)) for n in range(2 * stem + 1)]
    # The second branch is long and comes first in the row: the first stands far from its stem.
    prompts = [token[:stem], token[: stem - 6] + token[1 : 1 + stem], token[2:20]]
    options = [[token[:3], token[1:5]]] * len(prompts)
    found, rows = [], lm.rows
    with ExitStack() as changed:
        changed.enter_context(_short_windows(config))
        if in_float32:
            changed.enter_context(_float32(lm.model))
        try:
            expected = [plain.score(lm, p, o) for p, o in zip(prompts, options, strict=True)]
            for limit in (6 * stem, 0):  # in one row, and in the smallest ones
                lm.rows = RowLimit(limit)
                found.append(score_packed(lm, prompts, options)[0])
                lm.prefix.clear()
        finally:
            lm.rows = rows
            lm.prefix.clear()
    exact = in_float32 or str(lm.model.dtype) == "torch.float32"
    return all(
        abs(a - b) <= (PER_TOKEN if exact else PER_TOKEN_HALF) * len(option)
        for scores in found
        for row, expected_row, choices in zip(scores, expected, options, strict=True)
        for a, b, option in zip(row, expected_row, choices, strict=True)
    )


def _hidden_windows(config: Any) -> list[int]:
    """Return the windows that a config names besides `sliding_window`, which we can mask."""
    return [
        value
        for name, value in config.to_dict().items()
        if ("window" in name or "chunk" in name)
        and name not in {"sliding_window", "max_window_layers"}
        and isinstance(value, int)
        and not isinstance(value, bool)
    ]


@contextmanager
def _short_windows(config: Any) -> Iterator[None]:
    """Shrink the sliding window, so that short branches are longer than it.

    Transformers reads it off the config at every pass, as we do; a real one of 4,096 tokens would
    cost minutes on a CPU.
    """
    window = getattr(config, "sliding_window", None)
    if window:
        config.sliding_window = PROOF_WINDOW
    try:
        yield
    finally:
        if window:
            config.sliding_window = window


@contextmanager
def _float32(model: Any) -> Iterator[None]:
    """Let a model in half precision compute in float32 for a while."""
    import torch

    halves = (torch.float16, torch.bfloat16)
    kept = [(weight, weight.data) for weight in model.parameters() if weight.dtype in halves]
    quantised = [m for m in model.modules() if getattr(m, "compute_dtype", None) in halves]
    computed = [module.compute_dtype for module in quantised]
    try:
        for weight, half in kept:
            weight.data = half.float()
        for module in quantised:
            module.compute_dtype = torch.float32
        yield
    finally:
        for weight, half in kept:
            weight.data = half
        for module, dtype in zip(quantised, computed, strict=True):
            module.compute_dtype = dtype
