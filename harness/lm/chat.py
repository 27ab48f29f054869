"""From text to the tokens that a model was trained to see: its chat template, applied once.

A model without a template gets the bare text, with the beginning and end tokens its tokenizer
puts around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import ModelError
from harness.types import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from harness.lm.local_model import LanguageModel

_MARK = "\ue000"
"""A private-use character that stands for the answer when a template is probed."""


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """Return a prompt as a chat's messages: who says what."""
    turns = [prompt] if isinstance(prompt, str) else prompt
    return [
        {"role": "assistant" if number % 2 else "user", "content": turn}
        for number, turn in enumerate(turns)
    ]


def running_text(prompt: Prompt) -> str:
    """Return a prompt as one text, for a model that knows no turns."""
    if isinstance(prompt, str):
        return prompt
    answered = zip(prompt[::2], prompt[1::2], strict=False)
    return "\n\n".join([*(f"{asked} {answer}" for asked, answer in answered), prompt[-1]])


def prompt_tokens(lm: LanguageModel, prompt: Prompt) -> list[int]:
    """Return the tokens of a prompt up to where the assistant's answer begins."""
    tokenizer = lm.tokenizer
    if tokenizer.chat_template is None:
        return list(tokenizer(running_text(prompt), add_special_tokens=True).input_ids)
    rendered = tokenizer.apply_chat_template(
        messages(prompt), tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer(rendered, add_special_tokens=False).input_ids)


def answer_tokens(lm: LanguageModel, text: str) -> list[int]:
    """Return the tokens of an answer and of the end of its turn.

    The end token tells a label from a longer one that begins with it.
    """
    tokenizer = lm.tokenizer
    # A decoder of its own reads the text as its tokenizer completes a target.
    if lm.has_encoder:
        tokens = list(tokenizer(text_target=text, add_special_tokens=True).input_ids)
        return tokens if tokens[-1:] == [lm.ends[0]] else [*tokens, lm.ends[0]]
    # Without a chat template the answer follows "Answer:" in running text, behind a space.
    if tokenizer.chat_template is None:
        text = f" {text}"
    return [*tokenizer(text, add_special_tokens=False).input_ids, lm.ends[0]]


def label_tokens(lm: LanguageModel, label: str) -> list[int]:
    """Return the tokens of an answer that must say something: a label to choose.

    Raises:
        ModelError: nothing of it is left when it is cut into tokens.
    """
    tokens = answer_tokens(lm, label)
    if not lm.tokenizer.decode(tokens, skip_special_tokens=True).strip():
        raise ModelError(f"label {label!r} has no tokens for '{lm.ref.name}' → rename the label")
    return tokens


def end_of_turn(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the token that ends an assistant's turn: off the template, else the model's end.

    Raises:
        ModelError: the tokenizer has neither.
    """
    # The template is rendered around a mark: the first special token behind it ends the turn.
    if tokenizer.chat_template is not None:
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
        rendered = tokenizer.apply_chat_template(turns, tokenize=False)
        rest = rendered.partition(_MARK)[2].lstrip()
        after = tokenizer(rest, add_special_tokens=False).input_ids
        if after and after[0] in tokenizer.all_special_ids:
            return int(after[0])
    if tokenizer.eos_token_id is None:
        raise ModelError("the tokenizer has no token that ends a text → set its `eos_token`")
    return int(tokenizer.eos_token_id)
