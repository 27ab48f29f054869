"""What a task file may hand to chat templates: `chat_template_kwargs`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, JsonValue
from pydantic_core import PydanticCustomError

HANDED_BY_OTHERS = frozenset(
    {
        "add_generation_prompt",
        "bos_token",
        "chat_template",
        "continue_final_message",
        "conversation",
        "documents",
        "eos_token",
        "max_length",
        "messages",
        "pad_token",
        "padding",
        "return_assistant_tokens_mask",
        "return_dict",
        "return_tensors",
        "sanitize_control_tokens",
        "strftime_now",
        "tokenize",
        "tokenizer_kwargs",
        "tools",
        "truncation",
        "unk_token",
    }
)
"""Names that templates, or transformers' `apply_chat_template`, get from the engine."""


def _of_templates(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if taken := sorted(HANDED_BY_OTHERS & values.keys()):
        names, verb = ", ".join(taken), "is" if len(taken) == 1 else "are"
        what = "{names} {verb} given by the engine, and not by the task"
        raise PydanticCustomError("template_kwargs", what, {"names": names, "verb": verb})
    return values


TemplateKwargs = Annotated[dict[str, JsonValue], AfterValidator(_of_templates)]
