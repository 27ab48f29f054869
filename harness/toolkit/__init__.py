"""What strategies are composed from: prompts, answers, tuning, choices on validation rows.

Knows what a task asks (`TaskInfo`) and hands the engine what it needs of that; no rows, metrics or
reports.
"""

from harness.metrics.items import right_choices
from harness.toolkit.answer import answer, choose, generate
from harness.toolkit.context_window import fitted
from harness.toolkit.tune import (
    LoraParams,
    PromptedParams,
    TuningParams,
    learn,
    learn_lora,
    learn_texts,
    tuned_estimate,
    tuning,
    with_lora,
)

__all__ = [
    "LoraParams",
    "PromptedParams",
    "TuningParams",
    "answer",
    "choose",
    "fitted",
    "generate",
    "learn",
    "learn_lora",
    "learn_texts",
    "right_choices",
    "tuned_estimate",
    "tuning",
    "with_lora",
]
