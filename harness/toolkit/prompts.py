"""The words put to a model: one instruction block that every prompting strategy shares.

So that zero-shot and few-shot differ by their demonstrations and by nothing else. Demonstrations
are earlier turns of the conversation, the form in which a chat model has learnt to follow them.
Knows nothing of tokens or chat templates; `harness/lm/chat.py` applies those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.types import Example, Prompt, Query, TaskInfo

PromptStyle = Literal["short", "full"]
"""What a tuned model is asked: "short" is the input alone: what the instruction says, it has
learnt; "full" is zero-shot's whole prompt."""


def instruction_block(task: TaskInfo) -> str:
    """Return the task's instruction and what an answer looks like.

    For a choice that is the list of labels with what they mean, for a JSON answer its schema, for
    a text what to say where there is no answer.
    """
    lines = [task.instruction]
    if task.answer_kind == "choice":
        lines.append("Answer with exactly one of these labels:")
        lines += [
            f"- {label}: {text}" if text else f"- {label}" for label, text in task.labels.items()
        ]
    if task.answer_kind == "json":
        schema = json.dumps(task.schema, separators=(",", ":"), ensure_ascii=False)
        lines += ["Answer with a JSON object of this schema:", schema]
    if task.no_answer is not None:
        lines.append(f"If there is no answer, say exactly: {task.no_answer}")
    return "\n".join(lines)


def full_prompt(task: TaskInfo, query: Query) -> str:
    """Return instruction block and input, ready for a chat turn."""
    return f"{instruction_block(task)}\n\n{under_passages(Shown(query))}"


@dataclass(frozen=True)
class Shown:
    """A query, or with `target` a demonstration, and the passages that were found for it."""

    query: Query
    passages: Sequence[str] = ()
    target: str | None = None


def conversation(task: TaskInfo, asked: Shown, demonstrations: Sequence[Shown]) -> Prompt:
    """Return instruction block, demonstrations with their answers, and the input, as turns.

    The instruction stands in the first turn: not every chat template has a system's. Without
    demonstrations that is one turn.
    """
    turns = [instruction_block(task) + "\n\n"]
    for shown in demonstrations:
        turns[-1] += under_passages(shown)
        turns += [shown.target or "", ""]
    turns[-1] += under_passages(asked)
    return tuple(turns) if demonstrations else turns[0]


def under_passages(shown: Shown) -> str:
    """Return an input under its passages, up to where its answer begins."""
    numbered = [f"[{number}] {text}" for number, text in enumerate(shown.passages, start=1)]
    above = ["Passages:", *numbered] if numbered else []
    return "\n".join([*above, f"Input: {shown.query.full_text}", "Answer:"])


def tuned_prompt(task: TaskInfo, query: Query, style: PromptStyle) -> str:
    """Return what a tuned model is asked: the input alone, or zero-shot's whole prompt."""
    return full_prompt(task, query) if style == "full" else query.full_text


def training_pairs(
    task: TaskInfo, examples: Iterable[Example], style: PromptStyle
) -> list[tuple[str, str]]:
    """Return prompt and answer of each example, for tuning; the first of several targets."""
    return [(tuned_prompt(task, example.query, style), example.targets[0]) for example in examples]
