"""The engine: tokens in, log-likelihoods or tokens out. Exact; the same for every strategy.

Loads models, scores options, generates, tunes; asks hosted ones. Knows nothing of tasks, metrics or
reports.
"""

from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.hosted import Call, hosted_calls
from harness.lm.inference.generation import generate_tokens
from harness.lm.inference.hidden_states import depth_of, pooled_states
from harness.lm.inference.scoring import score_options
from harness.lm.loading.load import (
    clear_prefixes,
    forget_loaded_models,
    load,
    loaded_models,
    open_model,
    open_weights,
)
from harness.lm.local_model import LanguageModel
from harness.lm.model import Generation, Model, OptionScores, Spans
from harness.lm.training.adapter_spec import AdapterSpec, Lighter, no_bytes_per_token
from harness.lm.training.adapters import (
    add_adapter,
    count_trained,
    open_trainable,
    open_trained,
    save_trained,
)
from harness.lm.training.loop import tune
from harness.lm.training.loss import mean_loss
from harness.lm.training.objective import HeadLoss, LabelSoftmax, Objective, TokenLoss
from harness.lm.training.settings import TuneResult, TuneSettings

__all__ = [
    "AdapterSpec",
    "Call",
    "Generation",
    "HeadLoss",
    "LabelSoftmax",
    "LanguageModel",
    "Lighter",
    "Model",
    "Objective",
    "OptionScores",
    "Spans",
    "TokenLoss",
    "TuneResult",
    "TuneSettings",
    "add_adapter",
    "answer_tokens",
    "clear_prefixes",
    "count_trained",
    "depth_of",
    "forget_loaded_models",
    "generate_tokens",
    "hosted_calls",
    "load",
    "loaded_models",
    "mean_loss",
    "no_bytes_per_token",
    "open_model",
    "open_trainable",
    "open_trained",
    "open_weights",
    "pooled_states",
    "prompt_tokens",
    "save_trained",
    "score_options",
    "tune",
]
