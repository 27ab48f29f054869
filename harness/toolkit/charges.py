"""What an answer took and cost that rests on several: for whoever asks one after the other.

Knows nothing of who is asked; what is done here the harness times.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.types import Prediction


def made_here(answer: Prediction) -> Prediction:
    """Return an answer that says it took and cost nothing elsewhere, if it says nothing yet.

    What it took here the harness adds.
    """
    if answer.wall_s is not None or answer.usd is not None:
        return answer
    return replace(answer, wall_s=0.0, usd=0.0, prompt_tokens=0, output_tokens=0)


def with_earlier(earlier: Prediction, answer: Prediction) -> Prediction:
    """Return an answer with what another one, which was asked for before it, took and cost.

    A figure that one of them lacks is not known, unless neither was answered elsewhere: what two
    answers that were made here do not say is in what the harness measures.
    """
    elsewhere = any(p.wall_s is not None or p.usd is not None for p in (earlier, answer))
    both: dict[str, Any] = {}
    for name in ("wall_s", "usd", "prompt_tokens", "output_tokens"):
        first, second = getattr(earlier, name), getattr(answer, name)
        if first is not None and second is not None:
            both[name] = first + second
        elif elsewhere:
            both[name] = None
    if earlier.cached_tokens is not None:  # a server that says nothing of these kept none
        both["cached_tokens"] = earlier.cached_tokens + (answer.cached_tokens or 0)
    return replace(answer, **both)
