"""From text to the tokens that a model was trained to see: its chat template, applied once.

`template.py` finds how a template wants a conversation and what it shows of it, `opening.py` where
an answer begins and what ends it, and `tokens.py` turns texts into tokens. A model without a
template gets the bare text, with the beginning and end tokens its tokenizer puts around it; so does
every model where the prompt is running text.
"""

from harness.lm.chat.template import ChatTemplate, messages, running_text, turns_of
from harness.lm.chat.tokens import (
    REMEDY,
    answer_tokens,
    end_of_turn,
    label_tokens,
    prompt_tokens,
    same_labels,
)

__all__ = [
    "REMEDY",
    "ChatTemplate",
    "answer_tokens",
    "end_of_turn",
    "label_tokens",
    "messages",
    "prompt_tokens",
    "running_text",
    "same_labels",
    "turns_of",
]
