"""The words put to a model: one instruction block that every prompting strategy shares.

So that zero-shot and few-shot differ by their demonstrations and by nothing else.
Knows nothing of tokens or chat templates; `harness/lm/chat.py` applies those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.types import Example, Query, TaskFacts

PromptStyle = Literal["short", "full"]
"""What a tuned model is asked: "short" is the input alone: what the instruction says, it has
learnt; "full" is zero-shot's whole prompt."""


def instruction_block(facts: TaskFacts) -> str:
    """Return the task's instruction and what an answer looks like.

    For a choice that is the list of labels with what they mean, for a JSON answer its schema, for
    a text what to say where there is no answer.
    """
    lines = [facts.instruction]
    if facts.answer_kind == "choice":
        lines.append("Answer with exactly one of these labels:")
        lines += [
            f"- {label}: {text}" if text else f"- {label}" for label, text in facts.labels.items()
        ]
    if facts.answer_kind == "json":
        schema = json.dumps(facts.schema, separators=(",", ":"), ensure_ascii=False)
        lines += ["Answer with a JSON object of this schema:", schema]
    if facts.no_answer is not None:
        lines.append(f"If there is no answer, say exactly: {facts.no_answer}")
    return "\n".join(lines)


def query_text(query: Query) -> str:
    """Return the input as a model reads it: its text, then the visible fields one a line."""
    return "\n".join([query.text, *(f"{name}: {value}" for name, value in query.fields.items())])


def full_prompt(facts: TaskFacts, query: Query, demonstrations: Sequence[Example] = ()) -> str:
    """Return instruction block, demonstrations (if any) and the input, ready for a chat turn."""
    shown = [
        f"Input: {query_text(example.query)}\nAnswer: {example.targets[0]}"
        for example in demonstrations
    ]
    return "\n\n".join([instruction_block(facts), *shown, f"Input: {query_text(query)}\nAnswer:"])


@dataclass(frozen=True)
class Shown:
    """A query, or with `target` a demonstration, and the passages that were found for it."""

    query: Query
    passages: Sequence[str] = ()
    target: str | None = None


def passages_prompt(facts: TaskFacts, asked: Shown, demonstrations: Sequence[Shown] = ()) -> str:
    """Return instruction block, demonstrations and the input, each under its passages."""
    return "\n\n".join([instruction_block(facts), *map(under_passages, [*demonstrations, asked])])


def under_passages(shown: Shown) -> str:
    """Return an input under its passages, with its answer if it has one."""
    answer = "Answer:" if shown.target is None else f"Answer: {shown.target}"
    numbered = [f"[{number}] {text}" for number, text in enumerate(shown.passages, start=1)]
    above = ["Passages:", *numbered] if numbered else []
    return "\n".join([*above, f"Input: {query_text(shown.query)}", answer])


def tuned_prompt(facts: TaskFacts, query: Query, style: PromptStyle) -> str:
    """Return what a tuned model is asked: the input alone, or zero-shot's whole prompt."""
    return full_prompt(facts, query) if style == "full" else query_text(query)


def lessons(
    facts: TaskFacts, examples: Iterable[Example], style: PromptStyle
) -> list[tuple[str, str]]:
    """Return prompt and answer of each example, for tuning; the first of several targets."""
    return [(tuned_prompt(facts, example.query, style), example.targets[0]) for example in examples]
