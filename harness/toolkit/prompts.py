"""The words put to a model: one instruction block that every prompting strategy shares.

So that zero-shot and few-shot differ by their demonstrations and by nothing else. Demonstrations
are earlier turns of the conversation, as a chat model has learnt to follow them, or parts of one
text, which small models follow better: no form is best for all models (Sclar et al. 2023, arXiv
2310.11324). Knows nothing of tokens or chat templates; `harness/lm/chat/` applies those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import StrategyError
from harness.types import (
    Conversation,
    Example,
    Prompt,
    PromptForm,
    Query,
    RunningText,
    TaskInfo,
)

BETWEEN = "\n\n"
"""Stands between the parts of running text, as `running_text` of the engine has it."""
PromptStyle = Literal["short", "full"]
"""What a tuned model is asked: "short" is the input alone: what the instruction says, it has
learnt; "full" is zero-shot's whole prompt."""

AsTuned = Literal["off", "instruction", "system", "input"]
"""How a hosted model is asked that was tuned on chats: under the task's instruction as the system
turn, under the row's own, or under none."""
SYSTEM, EARLIER = "system", "earlier"
"""Visible columns of tasks that were made of chats: the row's own system message, and the turns
before its input, a list of `role` and `content`."""


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
    return f"{instruction_block(task)}\n\n{under_passages(task, Shown(query))}"


@dataclass(frozen=True)
class Shown:
    """A query, or with `target` a demonstration, and the passages that were found for it."""

    query: Query
    passages: Sequence[str] = ()
    target: str | None = None


def written(
    task: TaskInfo, form: PromptForm, asked: Shown, demonstrations: Sequence[Shown] = ()
) -> Prompt:
    """Return instruction block, demonstrations with their answers, and the input, in a form.

    Args:
        task: what is asked of every input.
        form: `Model.default_form`, unless the user says otherwise.
        asked: the input.
        demonstrations: the least telling first: small models heed the last most.
    """
    if form == "turns":
        return conversation(task, asked, demonstrations)
    above = [] if form == "bare" else [instruction_block(task)]
    shown = [f"{under_passages(task, row)} {row.target or ''}" for row in demonstrations]
    text = BETWEEN.join([*above, *shown, under_passages(task, asked)])
    return text if form == "one_turn" else RunningText(text, BETWEEN)


def ended(task: TaskInfo, form: PromptForm) -> TaskInfo:
    """Return the task with the stop strings that a form needs.

    An answer in a chat ends with its turn; a text goes on to the next input. Where all targets are
    of one line, a line's end is the first sign of that.
    """
    if form == "turns" or task.answer_kind != "text":
        return task
    return replace(task, stop=(*task.stop, *(("\n",) if task.one_line else next_input(task))))


def conversation(task: TaskInfo, asked: Shown, demonstrations: Sequence[Shown]) -> Prompt:
    """Return instruction block, demonstrations with their answers, and the input, as turns.

    The instruction stands in the first turn: not every chat template has a system's. Without
    demonstrations that is one turn.
    """
    turns = [instruction_block(task) + "\n\n"]
    for shown in demonstrations:
        turns[-1] += under_passages(task, shown)
        turns += [shown.target or "", ""]
    turns[-1] += under_passages(task, asked)
    return tuple(turns) if demonstrations else turns[0]


def under_passages(task: TaskInfo, shown: Shown) -> str:
    """Return an input under its passages, up to where its answer begins."""
    numbered = [f"[{number}] {text}" for number, text in enumerate(shown.passages, start=1)]
    above = ["Passages:", *numbered] if numbered else []
    return "\n".join([*above, f"{_input_name(task)}: {shown.query.full_text}", "Answer:"])


def next_input(task: TaskInfo) -> tuple[str, ...]:
    """Return how the next input begins: a model that goes on with a text asks itself."""
    return f"\n{_input_name(task)}:", "\nPassages:"


def _input_name(task: TaskInfo) -> str:
    return "Question" if task.asks_questions else "Input"


def tuned_prompt(task: TaskInfo, query: Query, style: PromptStyle) -> str:
    """Return what a tuned model is asked: the input alone, or zero-shot's whole prompt."""
    return full_prompt(task, query) if style == "full" else query.full_text


def tuned_chat(task: TaskInfo, query: Query, style: AsTuned) -> Prompt:
    """Return what a hosted model that was tuned on chats is asked, as its training file has it.

    Args:
        task: whose instruction may be the system turn.
        query: its fields `system` and `earlier` are turns; other visible ones stand below its text.
        style: where the system turn comes from.

    Raises:
        StrategyError: the earlier turns are none, or are not the user's and the assistant's in
            turn.
    """
    rest = {name: value for name, value in query.fields.items() if name not in (SYSTEM, EARLIER)}
    turns = (*_earlier(query), replace(query, fields=rest).full_text)
    system = {"instruction": task.instruction, "system": query.fields.get(SYSTEM)}.get(style)
    if system:
        return Conversation(str(system), turns)
    return turns if len(turns) > 1 else turns[0]


def _earlier(query: Query) -> tuple[str, ...]:
    """Return the turns before a query's text."""
    given = query.fields.get(EARLIER) or ()
    try:
        said = [(turn["role"], str(turn["content"])) for turn in given]
    except (TypeError, KeyError):
        said = [("", "")]
    if [role for role, _ in said] != ["user", "assistant"] * (len(said) // 2):
        raise StrategyError(
            f"the earlier turns of '{query.id}' are not the user's and the assistant's in turn"
            ' → write [{"role": "user", "content": …}, {"role": "assistant", "content": …}, …]'
        )
    return tuple(content for _, content in said)


def training_pairs(
    task: TaskInfo, examples: Iterable[Example], style: PromptStyle
) -> list[tuple[str, str]]:
    """Return prompt and answer of each example, for tuning; the first of several targets."""
    return [(tuned_prompt(task, example.query, style), example.targets[0]) for example in examples]
