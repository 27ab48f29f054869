"""20-shot choices: 100 messages × 10 labels of banking77 in float32.

The demonstrations are one shared prefix of all prompts. Beside: lm-evaluation-harness on the same
prompts, which computes the whole prompt again for each label.
"""

from __future__ import annotations

from typing import Any

from benchmarks.data import few_shot_questions
from benchmarks.scoring import compare
from benchmarks.sides import Sides

PACKAGES = ("lm_eval",)
LABELS = 10
SHOTS = 20
MESSAGES = 100


def run(sides: Sides) -> dict[str, Any]:
    """Run both sides; seconds are per message."""
    return compare(sides, few_shot_questions(LABELS, SHOTS, MESSAGES), peer_messages=MESSAGES)
