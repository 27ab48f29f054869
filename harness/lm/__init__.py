"""The engine: tokens in, log-likelihoods or tokens out. Exact; the same for every strategy.

Loads models, scores options, generates, tunes; asks hosted ones. Knows nothing of tasks, metrics or
reports.
"""

from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.hosted import HostedModel
from harness.lm.inference.generation import generate_tokens
from harness.lm.inference.likelihood import log_likelihood
from harness.lm.inference.scoring import score_options
from harness.lm.loading.load import (
    clear_prefixes,
    forget_loaded_models,
    load,
    loaded_models,
    open_model,
    open_weights,
)
from harness.lm.model import LanguageModel
from harness.lm.training.adapters import (
    add_ia3,
    add_lora,
    add_soft_prompt,
    save_adapter,
    save_model,
    train_all,
)
from harness.lm.training.loop import TuneResult, TuneSettings, tune
from harness.lm.training.loss import mean_loss

__all__ = [
    "HostedModel",
    "LanguageModel",
    "TuneResult",
    "TuneSettings",
    "add_ia3",
    "add_lora",
    "add_soft_prompt",
    "answer_tokens",
    "clear_prefixes",
    "forget_loaded_models",
    "generate_tokens",
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
]
