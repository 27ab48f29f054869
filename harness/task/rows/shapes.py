"""Shapes in which data sets nest what a task wants flat: chats, and SQuAD's articles.

Of a chat the last user turn is the input, with the system text and the turns before it; the
assistant's turn after it is the target. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.task.rows.reading import Reading

CHAT_COLUMNS = ("messages", "conversations", "conversation")
"""Where chats stand in public sets (OpenAI's name first, then ShareGPT's)."""
KEYS = (("role", "content"), ("from", "value"))
"""Keys of who speaks and of what is said: OpenAI's, ShareGPT's."""
ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "model", "gpt"), "assistant"),
}
"""Who speaks, as those call them who tune models or write for them (OpenAI, Gemini, ShareGPT)."""
SPEAKERS = {
    **ROLES,
    "prompter": "user",
    **dict.fromkeys(("chatgpt", "bot", "bing", "bard"), "assistant"),
}
"""Likewise in public sets."""


class ShapeError(ValueError):
    """A nested value that cannot be made flat; its text says why."""


class Turn(NamedTuple):
    """One message of a chat."""

    speaker: str
    text: str


def holds_chat(value: Any) -> bool:
    """Tell whether a value is a list of chat messages."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, Mapping) and any(who in one and what in one for who, what in KEYS)
            for one in value
        )
    )


def flatten_chat(values: dict[str, Any], reading: Reading) -> int:
    """Replace the chats of a row by the input and the target that they hold.

    A chat is that of the columns that the task names, or, where the row has no such columns, of
    the one column that is called as chats are.

    Returns:
        How many turns stand before the one that is answered; 0 without a chat.

    Raises:
        ShapeError: a chat has no turn that is wanted, or a part that is no text.
    """
    wanted = [name for name in (reading.input, reading.target) if name is not None]
    places = (name for name in (reading.input, *CHAT_COLUMNS) if name is not None)
    chat = next((values[name] for name in places if holds_chat(values.get(name))), None)
    if chat is not None:
        for name in wanted:
            values.setdefault(name, chat)
    before = 0
    for name in wanted:
        given = values.get(name)
        if type(given) is not list or not holds_chat(given):
            continue
        turns = [_turn(message) for message in given]
        if name == reading.input:
            values[name], before = _question(turns)
        elif turns[-1].speaker == "assistant":
            values[name] = turns[-1].text
        else:
            del values[name]  # new inputs have no answer yet; of a labelled row that is told
    return before


def _turn(message: Mapping[str, Any]) -> Turn:
    who, what = next((who, what) for who, what in KEYS if who in message and what in message)
    name, said = message[who], message[what]
    speaker = SPEAKERS.get(name.lower()) if isinstance(name, str) else None
    if speaker is None:
        raise ShapeError(f"a message is by '{name}', which is no system, user or assistant")
    if isinstance(said, list) and all(isinstance(p, Mapping) and "text" in p for p in said):
        said = "\n".join(str(part["text"]) for part in said)
    if not isinstance(said, str):
        raise ShapeError(f"a message of the {speaker} holds something else than text")
    return Turn(speaker, said)


def _question(turns: list[Turn]) -> tuple[str, int]:
    """Return the text of the last user turn with what stands before it, and how many turns do.

    Where a user speaks once, that text stands alone, below the system text if there is one; in a
    longer chat each turn is headed by who speaks.
    """
    last = max((at for at, turn in enumerate(turns) if turn.speaker == "user"), default=-1)
    if last < 0:
        raise ShapeError("a chat has no turn of a user")
    asked = turns[: last + 1]
    if all(turn.speaker == "system" for turn in asked[:-1]):
        return "\n\n".join(turn.text for turn in asked if turn.text), 0
    heads = [f"{turn.speaker.capitalize()}: {turn.text}" for turn in asked]
    return "\n\n".join(heads), last


def is_article(values: Mapping[str, Any]) -> bool:
    """Tell whether a row is an article of SQuAD: paragraphs with questions and answers."""
    parts = values.get("paragraphs")
    return (
        isinstance(parts, list)
        and bool(parts)
        and all(isinstance(part, Mapping) and isinstance(part.get("qas"), list) for part in parts)
    )


def questions_of(article: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each question of an article, with its passage as `context`."""
    above = {key: value for key, value in article.items() if key != "paragraphs"}
    for part in article["paragraphs"]:
        around = above | {key: value for key, value in part.items() if key != "qas"}
        for question in part["qas"]:
            if not isinstance(question, dict):
                raise ShapeError("a question of `qas` is no object")
            yield around | question
