"""The engine: load a model, score options, generate, tune. Exact; the same for every strategy.

Knows nothing of tasks' data, metrics or reports.
"""

from harness.lm.adapters import (
    add_ia3,
    add_lora,
    add_soft_prompt,
    save_adapter,
    save_model,
    train_all,
)
from harness.lm.answer import answer, choose, generate
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.generation import generate_tokens
from harness.lm.hosted import HostedModel
from harness.lm.learn import (
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
from harness.lm.likelihood import log_likelihood
from harness.lm.load import clear_prefixes, load, loaded_models, open_model, open_weights
from harness.lm.loss import mean_loss
from harness.lm.model import LanguageModel
from harness.lm.room import fitted
from harness.lm.scoring import score_options
from harness.lm.tune import TuneResult, TuneSettings, tune

__all__ = [
    "HostedModel",
    "LanguageModel",
    "LoraParams",
    "PromptedParams",
    "TuneResult",
    "TuneSettings",
    "TuningParams",
    "add_ia3",
    "add_lora",
    "add_soft_prompt",
    "answer",
    "answer_tokens",
    "choose",
    "clear_prefixes",
    "fitted",
    "generate",
    "generate_tokens",
    "learn",
    "learn_lora",
    "learn_texts",
    "load",
    "loaded_models",
    "log_likelihood",
    "mean_loss",
    "open_model",
    "open_weights",
    "prompt_tokens",
    "save_adapter",
    "save_model",
    "score_options",
    "train_all",
    "tune",
    "tuned_estimate",
    "tuning",
    "with_lora",
]
