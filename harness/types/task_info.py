"""What a strategy may know of the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

AnswerKind = Literal["choice", "text", "json"]
NEW_TOKENS = 64
"""New tokens that an answer may have where nothing says what answers need: a sentence or two."""


@dataclass(frozen=True)
class TaskInfo:
    """What a strategy may know of the task: no data, no paths, no targets."""

    name: str
    instruction: str
    answer_kind: AnswerKind
    labels: Mapping[str, str]
    """Label to description ("" where the task gives none); empty unless `answer_kind` is choice."""
    max_new_tokens: int = NEW_TOKENS
    """After so many tokens an answer is cut."""
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    """The JSON schema of an answer, where `answer_kind` is json."""
    no_answer: str | None = None
    """What to say to a question that has no answer, where the task has such."""
    one_line: bool = False
    """Whether the training targets are texts of one line each: then a line ends an answer."""
    asks_questions: bool = False
    """Whether answers are texts and most training inputs end with a question mark: then an input is
    put as a question, which a small model answers more shortly than an "input"."""
