"""Zero-shot choices among all 77 labels of banking77, the list of labels in the prompt, float32.

Beside: lm-evaluation-harness on the same prompts, timed on 20 messages.
"""

from __future__ import annotations

from typing import Any

from benchmarks.data import zero_shot_questions
from benchmarks.scoring import compare
from benchmarks.sides import Sides

PACKAGES = ("lm_eval",)
MESSAGES = 100
PEER_MESSAGES = 20


def run(sides: Sides) -> dict[str, Any]:
    """Run both sides; seconds are per message."""
    return compare(sides, zero_shot_questions(MESSAGES), peer_messages=PEER_MESSAGES)
