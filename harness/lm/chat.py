"""From text to the tokens that a model was trained to see: its chat template, applied once.

A model without a template gets the bare text, after its beginning token if it has one.
"""

from __future__ import annotations

from typing import Any

_MARK = "\ue000"
"""A private-use character that stands for the answer when a template is probed."""


def prompt_tokens(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of `text` as a user's turn, up to where the assistant's answer begins."""
    if tokenizer.chat_template is None:
        return list(tokenizer(text, add_special_tokens=True).input_ids)
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer(rendered, add_special_tokens=False).input_ids)


def answer_tokens(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of an answer and of the end of its turn.

    Without a chat template the answer follows "Answer:" in running text and so begins with a
    space. The end token is what tells a label from a longer one that begins with it.
    """
    if tokenizer.chat_template is None:
        text = f" {text}"
    return [*tokenizer(text, add_special_tokens=False).input_ids, end_of_turn(tokenizer)]


def end_of_turn(tokenizer: Any) -> int:
    """Return the token that ends an assistant's turn: off the template, else the model's end."""
    if tokenizer.chat_template is not None:
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
        rendered = tokenizer.apply_chat_template(turns, tokenize=False)
        after = tokenizer(rendered.split(_MARK, 1)[1].lstrip(), add_special_tokens=False).input_ids
        if after and after[0] in tokenizer.all_special_ids:
            return int(after[0])
    return int(tokenizer.eos_token_id)
