"""What strategies are composed from: prompts, answers, tuning, choices on validation rows.

Knows what a task asks (`TaskInfo`) and hands the engine what it needs of that; no rows, metrics or
reports.
"""

from harness.lm.training.adapter_spec import AdapterSpec, Lighter, Linear, no_bytes_per_token
from harness.metrics.items import right_choices
from harness.toolkit.answer import answer, choose, generate
from harness.toolkit.context_window import fitted
from harness.toolkit.linear_classifier import (
    Classifiers,
    classified,
    fit_classifier,
    fit_classifiers,
    load_classifier,
    save_classifier,
)
from harness.toolkit.lora import LoraParams, lora_adapter
from harness.toolkit.tune import PromptedParams, TuningParams, learn, learn_texts, tuning
from harness.toolkit.tuned_strategy import TunedStrategy

__all__ = [
    "AdapterSpec",
    "Classifiers",
    "Lighter",
    "Linear",
    "LoraParams",
    "PromptedParams",
    "TunedStrategy",
    "TuningParams",
    "answer",
    "choose",
    "classified",
    "fit_classifier",
    "fit_classifiers",
    "fitted",
    "generate",
    "learn",
    "learn_texts",
    "load_classifier",
    "lora_adapter",
    "no_bytes_per_token",
    "right_choices",
    "save_classifier",
    "tuning",
]
