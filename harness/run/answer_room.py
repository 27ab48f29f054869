"""How many new tokens an answer may have: what the task says, else what its targets need.

A model's tokenizer decides what a target needs, so each model has a room of its own. Knows nothing
of prompts and of how long a context is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import ceil

from harness.files.hashing import sha256_of
from harness.lm.sizing.token_count import TokenCounter, context_tokens, token_counter
from harness.store.records import AnswerRoom, RunHeader
from harness.task import Task
from harness.task.model_spec import name_of
from harness.types import NEW_TOKENS, ModelRef

SHARE = 0.99
"""Share of the training targets that must fit: a few may be mistakes of enormous length."""
MARGIN, LEAST_MARGIN = 1.25, 8
"""Room beyond that, as a factor and in tokens at the least: another wording of a right answer, and
targets longer than those that were seen, fit too."""

THOUGHTS = 2048
"""Tokens beside the answer for a model that the task asks to think: a chosen number, some pages. A
thought that is longer is cut, and the report counts it."""


def room_of(task: Task, ref: ModelRef) -> AnswerRoom:
    """Return how many new tokens a model's answers may have.

    Without a number in the task that is the 99th percentile of the training targets with a margin,
    and never less than `NEW_TOKENS`: models that were not tuned say more than the target does. A
    model that scores labels writes nothing, and has that. One that is asked to think has room for
    its thoughts beside. Beyond `NEW_TOKENS`, half of the context is left to the prompt.
    """
    given = task.spec.generation.max_new_tokens
    if given is not None:
        return AnswerRoom(max_new_tokens=given, given=True)
    targets, thoughts = expected(task, ref), _thoughts(task, ref)
    if not targets:
        return AnswerRoom(max_new_tokens=NEW_TOKENS + thoughts, of=_identity(task, ref))
    lengths = sorted(tokens_of(ref, targets))
    needed = lengths[ceil(SHARE * len(lengths)) - 1]
    return AnswerRoom(
        max_new_tokens=max(NEW_TOKENS, _within_context(ref, with_margin(needed) + thoughts)),
        needed=needed,
        estimated=token_counter(ref).estimates,
        of=_identity(task, ref),
    )


def rooms(
    task: Task, models: Mapping[str, ModelRef], earlier: RunHeader | None = None
) -> dict[str, AnswerRoom]:
    """Return every model's room, by its name.

    Args:
        task: with its data.
        models: by name.
        earlier: the folder's last header: what it found holds while nothing that decides it has
            changed, and then no tokenizer need be read.
    """
    known = earlier.answer_room if earlier is not None else {}
    kept = {
        name: known[name]
        for name, ref in models.items()
        if task.spec.generation.max_new_tokens is None
        and name in known
        and known[name].of == _identity(task, ref)
    }
    return {name: kept.get(name) or room_of(task, ref) for name, ref in models.items()}


def asked(task: Task, arm: str, found: Mapping[str, AnswerRoom]) -> Task:
    """Return the task as an arm is told of it: with the room of its models, where it uses any."""
    [used] = (one for one in task.arms if one.name == arm)
    known = [found[name] for name in map(name_of, task.models_of(used)) if name in found]
    if not known:
        return task
    most = max(room.max_new_tokens for room in known)  # each of several models has enough
    generation = task.spec.generation.model_copy(update={"max_new_tokens": most})
    return replace(task, spec=task.spec.model_copy(update={"generation": generation}))


def expected(task: Task, ref: ModelRef) -> tuple[str, ...]:
    """Return what a model will have to write: training targets, or labels that it is not scored on.

    Empty where it writes nothing, and where there are no training rows.
    """
    if task.spec.answer.kind == "choice":
        return tuple(task.labels) if ref.hosted is not None else ()
    return tuple(example.targets[0] for example in task.train)


def with_margin(tokens: int) -> int:
    """Return the room for answers that need so many tokens."""
    return max(ceil(tokens * MARGIN), tokens + LEAST_MARGIN)


def tokens_of(ref: ModelRef, answers: Sequence[str]) -> Sequence[int]:
    """Return the tokens of each answer for a model, with the end of its turn."""
    return _tokens_of(token_counter(ref), tuple(answers))


@lru_cache(maxsize=8)
def _tokens_of(counter: TokenCounter, answers: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(counter.counts(answers))


def _within_context(ref: ModelRef, tokens: int) -> int:
    """Return the room that leaves half of a model's context to its prompts."""
    context = context_tokens(ref)
    return tokens if context is None else min(tokens, context // 2)


def _thoughts(task: Task, ref: ModelRef) -> int:
    """Return the room for thoughts: a local model thinks before free text alone."""
    free = task.spec.answer.kind == "text" or ref.hosted is not None
    return THOUGHTS if free and ref.chat.asks_thoughts else 0


def _identity(task: Task, ref: ModelRef) -> str:
    """Hash all that decides a room that the task does not give."""
    which = [ref.location, ref.name] if ref.hosted else ref.sha256 or [ref.name, ref.revision]
    kind, labels = task.spec.answer.kind, list(task.labels)
    rows = task.data.sha256.get("train")
    rule = [SHARE, MARGIN, LEAST_MARGIN, NEW_TOKENS, _thoughts(task, ref)]
    return sha256_of([rows, kind, labels, which, rule])
