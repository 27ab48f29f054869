"""A model that is nothing but its window, and a tokenizer that takes words for tokens."""

from __future__ import annotations

from types import SimpleNamespace

from harness.lm import LanguageModel
from harness.lm.inference.routes import PLAIN
from harness.types import ModelRef


class Words:
    """One token a word; the end of a turn is a token too."""

    chat_template = None
    all_special_ids = (0,)
    eos_token_id = 0

    def __call__(self, text=None, add_special_tokens=True, text_target=None):
        return SimpleNamespace(input_ids=(text or text_target).split())


def word_model(window, route=PLAIN):
    """Return a model that takes so many words; None: its configuration does not say."""
    config = SimpleNamespace(max_position_embeddings=window)
    config.get_text_config = lambda decoder: config
    return LanguageModel(ModelRef("words", ""), SimpleNamespace(config=config), Words(), route)
