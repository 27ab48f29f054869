"""A model without its weights: what its tokenizer and its configuration tell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from harness.lm.inference.routes import ENCODER_DECODER, PLAIN
from harness.lm.loading.tokenizer_files import VOCABULARIES
from harness.lm.local_model import LanguageModel
from harness.types import ModelRef

SETTINGS = "tokenizer_config.json"


def tokenizer_of(folder: Path) -> Any | None:
    """Return the tokenizer in a folder; None where there is none that can be read."""
    from transformers import AutoTokenizer

    if not any((folder / name).is_file() for name in (*VOCABULARIES, SETTINGS)):
        return None
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception:  # the readers of damaged files raise all sorts, bare `Exception` too
        return None


def without_weights(ref: ModelRef) -> LanguageModel | None:
    """Return a model that can cut texts into tokens and knows its context, and nothing else.

    None where its folder has no tokenizer or no configuration that can be read.
    """
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer = tokenizer_of(Path(ref.location))
    try:
        config = AutoConfig.from_pretrained(ref.location, trust_remote_code=False)
    except (OSError, ValueError, KeyError):
        return None
    if tokenizer is None:
        return None
    route = ENCODER_DECODER if config.is_encoder_decoder else PLAIN
    return LanguageModel(ref, cast(Any, SimpleNamespace(config=config)), tokenizer, route)
