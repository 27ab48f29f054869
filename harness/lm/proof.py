"""The check that decides a model's path when it is loaded: packed rows against plain passes.

An attention implementation may ignore a mask or bend it silently (a sliding window, positions
taken from the row instead of from the inputs, recurrent layers). So a model is packed only if it
gives the same log-likelihoods packed as it does one sequence at a time. Knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.errors import ModelError
from harness.lm import plain
from harness.lm.budget import RowLimit
from harness.lm.inputs import windows
from harness.lm.model import LanguageModel
from harness.lm.prefix import SHORTEST
from harness.lm.scoring import score_packed

HALF_PRECISION_STEP = 0.25
"""Two roundings of a logit between 16 and 32 in bfloat16, which has 8 bits: 2 × 2⁴ / 2⁷."""
PROOF_WINDOW = 8
"""What a sliding window is shrunk to for the proof, in tokens."""
LONGEST_STEM = 1024
"""Tokens. A model that hides a window longer than this in its layers is not packed."""


def packing_is_exact(lm: LanguageModel) -> bool:
    """Compare packed branches, longer than any window, with plain passes.

    Checked are both ways a row is computed: by itself, as in training, and behind a kept prefix.
    """
    config = lm.model.config
    stem = max([3 * SHORTEST, *(4 + n for n in _hidden_windows(config))])
    if windows(config) is None or stem > LONGEST_STEM:
        return False
    token = [5 + n % max(1, min(40, config.vocab_size - 5)) for n in range(stem + 8)]
    prompts = [token[:stem], token[: stem - 6] + token[3:9], token[2:20]]
    options = [[token[:3], token[1:5]]] * len(prompts)
    found, rows = [], lm.rows
    with _short_windows(config):
        try:
            expected = [plain.score(lm, p, o) for p, o in zip(prompts, options, strict=True)]
            for limit in (4 * stem, SHORTEST):
                lm.rows = RowLimit(limit)
                found.append(score_packed(lm, prompts, options)[0])
                lm.prefix.clear()
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, ModelError):
            return False
        finally:
            lm.rows = rows
            lm.prefix.clear()
    per_token = 1e-3 if str(lm.model.dtype) == "torch.float32" else HALF_PRECISION_STEP
    return all(
        abs(a - b) <= per_token * len(option)
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
    text = config.get_text_config(decoder=True)
    window = getattr(text, "sliding_window", None)
    if window:
        text.sliding_window = PROOF_WINDOW
    try:
        yield
    finally:
        if window:
            text.sliding_window = window
