"""Reads files that hosted chat models are tuned on as rows of a task: what is asked, what is right.

OpenAI's format, which Azure, Mistral, Together and Fireworks take as it is (`messages`, with
`weight` on an assistant's); Bedrock's, whose `system` stands beside them; Gemini's (`contents`,
`systemInstruction`); ShareGPT's (`conversations`); and the older `prompt` with `completion`. Tool
calls and whatever is no text are refused: no arm of a task can give or be given them. Knows nothing
of tasks and splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import Fault, TaskError, shown
from harness.task.rows import Row, read_rows
from harness.task.rows.shapes import ROLES

KNOWN = {**ROLES, "tool": "tool", "function": "tool"}
"""What each format calls who speaks; tools are known in order to be refused by name."""
CALLS = ("tool_calls", "function_call", "functionCall", "tool_call_id")
"""Keys of messages and of their parts that call a tool, or answer for one."""
OTHERS = ("image", "audio", "file", "video", "inlineData", "fileData")
"""How types and keys of parts begin that are no text."""
NO_CALLS = "leave such rows out: a task's answers are texts, labels and JSON objects"
NO_IMAGES = "leave such rows out: a task's inputs are texts"
SHAPE = 'write {"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}'


class Message(NamedTuple):
    """One turn."""

    role: str
    """system, user or assistant."""
    content: str
    weighs: bool
    """Whether a model is trained to say it."""


class ChatRow(NamedTuple):
    """One row: what was asked, after what, under which system message, and what is right."""

    line: int
    system: str | None
    earlier: tuple[Message, ...]
    input: str
    target: str


class ChatFile(NamedTuple):
    """The rows of a file, and what is to be said of it."""

    rows: list[ChatRow]
    unweighted_n: int
    """Rows that were left out: no assistant's message in them has a weight."""
    later_n: int
    """Rows whose last messages were left out, as they have no weight."""
    tools_n: int
    """Rows that offer tools and call none."""


class _RefusedError(Exception):
    """Why a row cannot be read, and what to do."""

    def __init__(self, what: str, fix: str):
        super().__init__(what)
        self.fix = fix


def read_chats(path: Path) -> ChatFile:
    """Read a training file.

    Raises:
        TaskError: with everything that is wrong with it, the same words of many rows counted.
    """
    faults: list[Fault] = []
    found: list[ChatRow] = []
    counts = {"unweighted": 0, "later": 0, "tools": 0}
    for row in read_rows(path, faults):
        try:
            messages = list(_messages(row.values))
            counts["tools"] += bool(row.values.get("tools") or row.values.get("functions"))
            cut = _cut(messages)
            if cut is None:
                counts["unweighted"] += 1
                continue
            counts["later"] += len(cut) < len(messages)
            found.append(_row(row, cut))
        except _RefusedError as problem:
            faults.append(Fault(row.where, str(problem), problem.fix))
    if not found and not faults:
        what = "no assistant's message in it has a weight above 0"
        faults.append(Fault(str(path), what, "write weight: 1, or none, where a model is to learn"))
    if faults:
        raise TaskError(faults)
    return ChatFile(found, counts["unweighted"], counts["later"], counts["tools"])


def _messages(values: Mapping[str, Any]) -> Iterator[Message]:
    """Yield the messages of a row in any of the formats."""
    if "preferred_output" in values or "chosen" in values:
        raise _RefusedError("is a row of preferences, which has no one right answer", SHAPE)
    if isinstance(values.get("prompt"), str) and isinstance(values.get("completion"), str):
        yield Message("user", values["prompt"], False)
        yield Message("assistant", values["completion"], True)
        return
    above = values.get("system", values.get("systemInstruction", values.get("system_instruction")))
    if above:
        yield Message("system", _text(above), False)
    given = next(
        (values[k] for k in ("messages", "contents", "conversations") if k in values), None
    )
    if not isinstance(given, list) or not given:
        raise _RefusedError(
            f"has no list of `messages`, but {', '.join(values) or 'nothing'}", SHAPE
        )
    for message in given:
        yield _message(message)


def _message(message: Any) -> Message:
    if not isinstance(message, Mapping):
        raise _RefusedError(f"a message is no object: {shown(message)}", SHAPE)
    named = message.get("role", message.get("from"))
    role = KNOWN.get(named) if isinstance(named, str) else None
    if role is None:
        raise _RefusedError(f"a message has the role {shown(named)}", f"use {', '.join(KNOWN)}")
    if role == "tool" or any(message.get(key) for key in CALLS):
        raise _RefusedError("calls a tool", NO_CALLS)
    weight = message.get("weight", 1)
    if weight not in (0, 1) or isinstance(weight, bool | str):
        raise _RefusedError(f"a message has the weight {shown(weight)}", "write 0, 1 or none")
    said = message.get("content", message.get("parts", message.get("value")))
    text = _text(said)
    if not text.strip():
        raise _RefusedError(
            f"the {role}'s message is empty", "write what was said, or leave out the row"
        )
    return Message(role, text, role == "assistant" and weight == 1)


def _text(content: Any) -> str:
    """Return the text of a message, which may come in parts."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, Mapping):  # Gemini's system instruction
        content = content.get("parts", [content])
    if not isinstance(content, list):
        raise _RefusedError(f"a message's content is {shown(content)}", "write a text")
    return "".join(map(_part, content))


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise _RefusedError(f"a part of a message is {shown(part)}", "write a text")
    if any(part.get(key) for key in CALLS) or "functionResponse" in part:
        raise _RefusedError("calls a tool", NO_CALLS)
    kinds = (str(part.get("type", "")).removeprefix("input_"), *map(str, part))
    if other := next((kind for kind in kinds if kind.startswith(OTHERS)), None):
        raise _RefusedError(f"holds what is no text ({other})", NO_IMAGES)
    text = part.get("text")
    if not isinstance(text, str):
        raise _RefusedError(f"a part of a message has no text: {shown(part)}", NO_IMAGES)
    return text


def _cut(messages: Sequence[Message]) -> list[Message] | None:
    """Return the messages up to the last one that a model learns to say; None: there is none."""
    if not any(message.role == "assistant" for message in messages):
        raise _RefusedError(
            "has no assistant's message", "add the right answer as the last message"
        )
    if messages[-1].role != "assistant":
        raise _RefusedError(
            "ends with no assistant's message", "add the right answer as the last one"
        )
    at = [place for place, message in enumerate(messages) if message.weighs]
    return list(messages[: at[-1] + 1]) if at else None


def _row(row: Row, messages: Sequence[Message]) -> ChatRow:
    """Return a row of messages that end with what is right."""
    leading = 0
    while messages[leading].role == "system":
        leading += 1
    system = "\n\n".join(message.content for message in messages[:leading]) or None
    turns = _joined(messages[leading:])
    roles = [turn.role for turn in turns]
    if "system" in roles:
        what = "has a system message behind the first turn"
        raise _RefusedError(what, "put it first, or leave out the row")
    if len(turns) < 2 or roles != ["user", "assistant"] * (len(turns) // 2):
        what = "does not begin with a user's message, behind those of the system"
        raise _RefusedError(what, "add it, or leave out the row")
    return ChatRow(row.line, system, tuple(turns[:-2]), turns[-2].content, turns[-1].content)


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Return messages with those of one role that follow each other as one."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            before = joined[-1]
            text = f"{before.content}\n\n{message.content}"
            joined[-1] = before._replace(content=text, weighs=message.weighs)
        else:
            joined.append(message)
    return joined
