"""What strategies are composed from: prompts, answers, tuning, choices on validation rows.

Knows what a task asks (`TaskInfo`) and hands the engine what it needs of that; no rows, metrics or
reports.
"""

from harness.lm.training.adapter_spec import AdapterSpec, Lighter, Linear, no_bytes_per_token
from harness.metrics import without_thoughts
from harness.metrics.items import right_choices
from harness.toolkit.after_tuning import finish_tuning, read_calibration
from harness.toolkit.answer import answer, choose, generate
from harness.toolkit.context_window import fitted
from harness.toolkit.instructed import InstructedStrategy
from harness.toolkit.linear_classifier import (
    Classifiers,
    classified,
    fit_classifier,
    fit_classifiers,
    load_classifier,
    save_classifier,
)
from harness.toolkit.lora import LoraParams, lora_adapter
from harness.toolkit.parts import PartParams, Use, in_words, part_of
from harness.toolkit.passages import (
    PassageParams,
    copies,
    gold_of,
    in_order,
    open_search,
    spans_of,
)
from harness.toolkit.query_likelihood import QueryLikelihood
from harness.toolkit.said import agreement, said
from harness.toolkit.shown_rows import ShownRows, shown_rows
from harness.toolkit.tune import (
    ChoiceParams,
    PromptedParams,
    TuningParams,
    learn,
    learn_texts,
    tuning,
)
from harness.toolkit.tuned_strategy import TunedStrategy

__all__ = [
    "AdapterSpec",
    "ChoiceParams",
    "Classifiers",
    "InstructedStrategy",
    "Lighter",
    "Linear",
    "LoraParams",
    "PartParams",
    "PassageParams",
    "PromptedParams",
    "QueryLikelihood",
    "ShownRows",
    "TunedStrategy",
    "TuningParams",
    "Use",
    "agreement",
    "answer",
    "choose",
    "classified",
    "copies",
    "finish_tuning",
    "fit_classifier",
    "fit_classifiers",
    "fitted",
    "generate",
    "gold_of",
    "in_order",
    "in_words",
    "learn",
    "learn_texts",
    "load_classifier",
    "lora_adapter",
    "no_bytes_per_token",
    "open_search",
    "part_of",
    "read_calibration",
    "right_choices",
    "said",
    "save_classifier",
    "shown_rows",
    "spans_of",
    "tuning",
    "without_thoughts",
]
