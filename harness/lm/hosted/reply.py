"""Reads what a server replies: is it a chat completion, and what does it say.

The client takes a reply's fields as they come: what is of another kind than the protocol has is
found here, and not when something is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.types import FinishReason, Prediction, Prompt
from harness.wording.thoughts import (
    THOUGHT_MARKS,
    behind_thoughts,
    cut_at,
    has_thought_marks,
)

if TYPE_CHECKING:
    import httpx2
    from openai.types.chat import ChatCompletion

TEXTS = ("text", "output_text")
"""Types of a content's parts that are answers."""
THOUGHT = THOUGHT_MARKS[0][0]
SHOWN = 100
"""Characters that are shown of what is no chat completion."""


def checked(scrub: Callable[[str], str]) -> Callable[[httpx2.Response], None]:
    """Return what makes a reply that cannot be read a failed transport: the client asks again.

    Args:
        scrub: takes secrets out of a text that will be shown.
    """

    def check(response: httpx2.Response) -> None:
        import httpx2

        if response.status_code != 200:
            return
        response.read()
        try:
            message = response.json()["choices"][0]["message"]
            text = text_of(message.get("content"))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            text = None
        if text is None:
            beginning = scrub(response.text)[:SHOWN]
            raise httpx2.DecodingError(
                f"no chat completion: {beginning!r}", request=response.request
            )

    return check


def read_reply(
    completion: ChatCompletion, prompt: Prompt, stop: Sequence[str], thinks: bool = False
) -> Prediction:
    """Return the answer in a reply that was `checked`, with what it says of tokens.

    Args:
        completion: the reply.
        prompt: what was asked.
        stop: strings that end an answer, whether or not the server stopped there.
        thinks: whether thoughts were asked for.
    """
    choice, usage = completion.choices[0], completion.usage
    whole = text_of(choice.message.content) or ""
    if thinks and choice.finish_reason == "length" and not _tells_thoughts(choice.message, whole):
        whole = THOUGHT + whole  # cut in a thought that the server's template opened in the prompt
    stopped = any(word in behind_thoughts(whole) for word in stop)
    notes = []
    # A server that takes no stop strings writes on behind one: the answer itself is whole then.
    finished: FinishReason | None = "stop" if stopped else _finish(choice.finish_reason)
    if finished == "length":
        notes.append("some answers were cut at max_new_tokens")
    if choice.message.refusal:
        notes.append("the model declined some answers")
    details = getattr(usage, "prompt_tokens_details", None)
    return Prediction(
        text=cut_at(whole, stop),
        prompt=prompt,
        prompt_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(details, "cached_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        finish_reason=finished,
        notes=tuple(notes),
    )


def text_of(content: Any) -> str | None:
    """Return the text of a message: some servers send parts, of thoughts and of text.

    Thoughts in a field or a part of their own are left out, and those in the text stay: whoever
    reads answers takes them off.
    None where it is neither a text nor parts; a message without content says nothing.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        return None
    return "".join(str(part.get("text", "")) for part in content if part.get("type") in TEXTS)


def _tells_thoughts(message: Any, text: str) -> bool:
    """Tell whether thoughts can be told from the text of a message."""
    fields = (getattr(message, name, None) for name in ("reasoning_content", "reasoning"))
    return has_thought_marks(text) or any(fields)


def _finish(reason: str | None) -> FinishReason | None:
    """Return why a server ended an answer; None where it withheld it, or says nothing known."""
    return "length" if reason == "length" else "stop" if reason == "stop" else None


def _count(of: object, name: str) -> int | None:
    """Return a number of tokens; what is none is not known."""
    value = getattr(of, name, None)
    return value if type(value) is int else None
