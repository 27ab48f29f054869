"""How models mark their thoughts in text, and where a text is inside one.

Templates, generated text and the reader of answers share this list. Knows nothing of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

THOUGHT_MARKS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
"""How models open and close a thought: DeepSeek and Qwen, Gemini's and Seed's forms, Magistral,
Kimi, Cohere, Gemma 4, and gpt-oss, whose answer is a channel of its own."""
CHANNELS = ("<|channel>thought", "<channel|>", "<|channel|>final<|message|>")
"""Marks of several tokens."""
NEW_MESSAGE = {"<|channel|>final<|message|>": "<|end|><|start|>assistant"}
"""What stands before a closing mark that begins a message of its own."""


def thought_end(text: str) -> int:
    """Return where a text goes on behind its last closed thought; 0 where none is closed."""
    lowered, end = text.lower(), 0
    for _, closer in THOUGHT_MARKS:
        at = lowered.rfind(closer.lower())
        end = max(end, at + len(closer) if at >= 0 else 0)
    return end


def open_thought(text: str) -> tuple[str, str] | None:
    """Return the marks of the thought that a text ends in; None where it ends in none."""
    rest = text[thought_end(text) :].lower()
    found = {marks: rest.find(marks[0].lower()) for marks in THOUGHT_MARKS}
    begun = [marks for marks, at in found.items() if at >= 0]
    return min(begun, key=found.__getitem__) if begun else None


def closing(text: str, marks: tuple[str, str]) -> str:
    """Return what closes the thought that a text ends in, with the blank line behind it."""
    opener, closer = marks
    opened_here = text.lower().endswith(opener.lower())
    between = "" if opened_here or text.endswith("\n\n") else "\n"
    new = NEW_MESSAGE.get(closer)
    return f"{new}{closer}" if new else f"{between}{closer}\n\n"


def has_thought_marks(text: str) -> bool:
    """Tell whether any mark of a thought stands in a text."""
    lowered = text.lower()
    return any(mark.lower() in lowered for marks in THOUGHT_MARKS for mark in marks)


def is_thought_token(token: str) -> bool:
    """Tell whether a token is a mark of a thought, or what tells a channel of one."""
    parts = {part for mark in CHANNELS for part in re.findall(r"<[^<>]+>", mark)}
    return token in parts or any(token in marks for marks in THOUGHT_MARKS)


def behind_thoughts(text: str) -> str:
    """Return what a text says behind its thoughts: nothing where it ends in one."""
    return "" if open_thought(text) else text[thought_end(text) :]


def cut_at(text: str, stop: Sequence[str]) -> str:
    """Return a text up to the first stop string behind its thoughts, without blanks around it.

    A thought may hold any string: cut there, it would leave no answer.
    """
    answer = behind_thoughts(text)
    kept = answer
    for word in stop:
        kept = kept.split(word, 1)[0]
    return (text.removesuffix(answer) + kept).strip()
