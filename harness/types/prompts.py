"""What is put to a model: turns of a chat, or a text that it goes on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

PromptForm = Literal["turns", "one_turn", "plain", "bare"]
"""How demonstrations and an input are written. turns: as earlier turns of a chat; one_turn: one
text in one turn of a chat; plain: the same text without a chat template; bare: that without the
instruction."""


@dataclass(frozen=True, slots=True)
class RunningText:
    """A text that a model goes on with: no chat template is applied to it."""

    text: str
    """Up to where the answer begins, which follows behind a space."""
    end: str = "\n\n"
    """What stands behind an answer in such a text, and so tells that it is over."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation under a system turn of its own, beside what the task says there."""

    system: str
    turns: tuple[str, ...]
    """The user's and the assistant's by turns; the first and the last are the user's."""


Prompt = str | tuple[str, ...] | RunningText | Conversation
"""What is put to a model: one turn of a user; or a conversation, the user's turns and the
assistant's by turns, which begins and ends with the user's, with or without a system turn of its
own; or running text."""


def read_prompt(value: str | Sequence[str] | Mapping[str, Any]) -> Prompt:
    """Return the prompt that a value of JSON holds."""
    if isinstance(value, Mapping):
        if "system" in value:
            return Conversation(value["system"], tuple(value["turns"]))
        return RunningText(**value)
    return value if isinstance(value, str) else tuple(value)


def prompt_value(prompt: Prompt | None) -> Any:
    """Return a prompt as a value of JSON, for `read_prompt`."""
    return asdict(prompt) if isinstance(prompt, RunningText | Conversation) else prompt
