"""One answer, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.types.prompts import Prompt, read_prompt

FinishReason = Literal["stop", "length"]
"""Why a generated answer ends, in the words of the OpenAI protocol."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer. Only `text` is required; whatever else is unknown stays None."""

    text: str
    label_logprobs: Mapping[str, float] | None = None
    """Log-probability of each label, normalised over the labels (natural log)."""
    prompt: Prompt | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens whose computation was kept from an earlier request."""
    output_tokens: int | None = None
    finish_reason: FinishReason | None = None
    """How generation ended: by itself ("stop"), or cut at the most tokens that it may write
    ("length"). None: nothing was generated, as where a label is chosen; or nobody said."""
    mean_logprob: float | None = None
    """Mean natural logarithm of the probabilities of the tokens that were generated, the end of the
    answer among them; None: not known, or nothing was generated."""
    least_logprob: float | None = None
    """The least of them."""
    sources: tuple[str, ...] | None = None
    """Ids of the documents that the answer rests on, the most telling first."""
    error: str | None = None
    notes: tuple[str, ...] = ()
    wall_s: float | None = None
    """Seconds that the answer took where it was first given, if that was elsewhere; None: what the
    harness measured counts. Set by the client of hosted models and by strategies that replay a
    file (`Strategy.replays`). For an arm over a hosted model the harness then adds what else was
    asked for the answer and what was done here (`harness/run/worker/clock.py`), so that a strategy
    need not touch it."""
    usd: float | None = None
    """Price of this answer, if somebody charged one; the harness adds likewise."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Prediction:
        """Return the prediction that a line of JSON holds."""
        read: dict[str, Any] = {
            name: tuple(value) for name, value in row.items() if isinstance(value, list)
        }
        if row.get("prompt") is not None:
            read["prompt"] = read_prompt(row["prompt"])
        return cls(**{**row, **read})
