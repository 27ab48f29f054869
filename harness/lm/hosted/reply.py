"""Reads what a server replies: is it a chat completion, and what does it say.

Servers send fields of other kinds than the protocol has, leave some out, and add their own: what
is read here is read once, and the client is handed nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from harness.types import FinishReason, Prediction, Prompt
from harness.wording.thoughts import (
    THOUGHT_MARKS,
    behind_thoughts,
    cut_at,
    has_thought_marks,
)

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

TEXTS = ("text", "output_text")
"""Types of a content's parts that are answers."""
THOUGHTS = ("reasoning_content", "reasoning")
"""Fields of a message that hold thoughts apart from the answer."""
THOUGHT = THOUGHT_MARKS[0][0]
ASKING = ("user", "system", "developer", "tool")
"""Roles of messages that ask; a server that repeats one answers nothing."""
MOST_LOGPROBS = 100_000
"""Tokens of an answer whose probabilities are read."""
LEAST, ALMOST_0 = -9000.0, 1e-4
"""Between these a logarithm of a probability lies that was computed, and perhaps rounded."""
MOST_TOKENS = 10**9
"""Of one request; what says more is no count."""


def plain_reply(value: Any) -> dict[str, Any] | None:
    """Return a reply with the fields of a chat completion that are read, each of its kind.

    None where it is no chat completion, or answers no prompt: an error beside what looks like an
    answer, the prompt again, another protocol.

    Args:
        value: the reply as JSON.
    """
    try:
        choice = value["choices"][0]
        message = choice["message"]
        text, role = text_of(message.get("content")), message.get("role")
        failed = value.get("error") or choice.get("error") or choice.get("finish_reason") == "error"
    except (KeyError, TypeError, IndexError, AttributeError):
        return None
    if text is None or failed or role in ASKING:
        return None
    reason, refusal, model = choice.get("finish_reason"), message.get("refusal"), value.get("model")
    said = {"role": "assistant", "content": text, "refusal": "yes" if refusal else None}
    if any(message.get(name) for name in THOUGHTS):
        said[THOUGHTS[0]] = "there were some"  # they are not read, but that there were any
    finish = reason if isinstance(reason, str) else None
    return {
        "id": "",
        "object": "chat.completion",
        "created": 0,
        "model": model if isinstance(model, str) else "",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": said, "logprobs": _logprobs(choice)}
        ],
        "usage": _usage(value.get("usage")),
    }


def _usage(usage: Any) -> dict[str, Any] | None:
    """Return the tokens that a reply counts; what is no number of tokens is left out."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = _tokens(details, "cached_tokens")
    asked, answered = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
    if cached is not None and asked is not None and cached > asked:
        asked = cached = None  # more kept than there were: one of them is wrong
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _logprobs(choice: Any) -> dict[str, Any] | None:
    """Return the log-probabilities of an answer's tokens without the tokens; None: not all known.

    A server may send -9999 for what it did not compute (OpenAI), or NaN.
    """
    try:
        found = [token["logprob"] for token in choice["logprobs"]["content"][:MOST_LOGPROBS]]
    except (KeyError, TypeError):
        return None
    known = all(type(value) in (int, float) and LEAST <= value <= ALMOST_0 for value in found)
    if not found or not known:
        return None
    of = {"token": "", "top_logprobs": []}
    return {"content": [{**of, "logprob": min(0.0, float(value))} for value in found]}


def _tokens(counts: Any, name: str) -> int | None:
    """Return a number of tokens; what is none is not known."""
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def read_reply(
    completion: ChatCompletion, prompt: Prompt, stop: Sequence[str], thinks: bool = False
) -> Prediction:
    """Return the answer in a `plain_reply`, with what it says of tokens.

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
    logprobs = _read_logprobs(choice)
    return Prediction(
        text=cut_at(whole, stop),
        mean_logprob=fmean(logprobs) if logprobs else None,
        least_logprob=min(logprobs, default=None),
        prompt=prompt,
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        cached_tokens=getattr(details, "cached_tokens", None),
        output_tokens=getattr(usage, "completion_tokens", None),
        finish_reason=finished,
        notes=tuple(notes),
    )


def _read_logprobs(choice: Any) -> list[float]:
    content = getattr(getattr(choice, "logprobs", None), "content", None) or []
    return [token.logprob for token in content]


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
    fields = (getattr(message, name, None) for name in THOUGHTS)
    return has_thought_marks(text) or any(fields)


def _finish(reason: str | None) -> FinishReason | None:
    """Return why a server ended an answer; None where it withheld it, or says nothing known."""
    return "length" if reason == "length" else "stop" if reason == "stop" else None
