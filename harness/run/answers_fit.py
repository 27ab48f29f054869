"""Can a right answer be written: does it fit, and does nothing end it before its end?

An examination of the preflight. Counts targets and shows none; it runs in the process that may see
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.errors import ModelError
from harness.lm.sizing.token_count import CHARACTERS, context_tokens, token_counter
from harness.run.answer_room import room_of, tokens_of, with_margin
from harness.store.records import AnswerRoom
from harness.task import Task
from harness.toolkit.prompts import NEXT_INPUT
from harness.types import ModelRef, Split

if TYPE_CHECKING:
    from harness.run.preflight import Subject

NOTHING_RIGHT = "no right answer can be written"


def answers_fit(subject: Subject) -> Iterator[str]:
    """Yield what is to be said of the room for answers; see `preflight.Examination`.

    Raises:
        ModelError: no target can be written by this model.
    """
    task, ref = subject.task, subject.ref
    if task.spec.answer.kind == "choice" and ref.hosted is None:
        return  # its labels are scored: nothing is written
    room = room_of(task, ref)
    if room.estimated:
        yield _estimate(ref, room)
    yield from _too_long(task, ref, room)
    yield from _ended_early(task, ref)


def _estimate(ref: ModelRef, room: AnswerRoom) -> str:
    why = "is its server's" if ref.hosted else "is not on this machine"
    return (
        f"'{ref.name}': answers get at most {room.max_new_tokens} tokens. That is an estimate, at"
        f" {CHARACTERS} characters a token: its tokenizer {why} → write `generation:"
        " {max_new_tokens: …}` where it is too little"
    )


def _too_long(task: Task, ref: ModelRef, room: AnswerRoom) -> Iterator[str]:
    """Say how many targets need more room than answers have."""
    most, longest, parts, all_n, long_n = room.max_new_tokens, 0, [], 0, 0
    for split, rows in _written(task):
        lengths = _shortest(ref, rows)
        over = [length for length in lengths if length > most]
        longest = max(longest, *over, 0)
        all_n, long_n = all_n + len(rows), long_n + len(over)
        if over:
            parts.append(f"{len(over)} of {len(rows)} {split}")
    if not long_n:
        return
    about = "about " if token_counter(ref).estimates else ""
    verb = "needs" if long_n == 1 else "need"
    text = (
        f"{' and '.join(parts)} {verb} more than the {most} tokens that an answer may"
        f" have (the longest {about}{longest}) → {_wider(ref, longest)}"
    )
    # An estimate may be wrong, so it refuses nothing.
    if long_n == all_n and not about:
        raise ModelError(f"'{ref.name}': {NOTHING_RIGHT}: {text}")
    yield f"'{ref.name}': {text}"


def _wider(ref: ModelRef, longest: int) -> str:
    """Return what gives the longest target room."""
    context, room = context_tokens(ref), with_margin(longest)
    if context is not None and room >= context:
        return f"use a model whose context takes more than the {context} tokens of this one"
    return f"write `generation: {{max_new_tokens: {room}}}`"


def _ended_early(task: Task, ref: ModelRef) -> Iterator[str]:
    """Say how many targets hold a string that ends an answer."""
    for stop, fix in _stops(task, ref):
        parts, all_n, held_n = [], 0, 0
        for split, rows in _written(task):
            held = sum(all(stop in target for target in accepted) for accepted in rows)
            all_n, held_n = all_n + len(rows), held_n + held
            if held:
                parts.append(f"{held} of {len(rows)} {split}")
        if not held_n:
            continue
        verb = "holds" if held_n == 1 else "hold"
        text = (
            f"{' and '.join(parts)} {verb} the stop string {stop!r}, which ends an"
            f" answer before it is whole → {fix}"
        )
        if held_n == all_n:
            raise ModelError(f"'{ref.name}': {NOTHING_RIGHT}: {text}")
        yield f"'{ref.name}': {text}"


def _stops(task: Task, ref: ModelRef) -> Iterator[tuple[str, str]]:
    """Yield each string that ends an answer, with what to do where targets hold it."""
    for stop in task.spec.generation.stop:
        yield stop, "remove it from `generation: {stop: […]}`"
    if task.spec.answer.kind == "text" and not token_counter(ref).has_template:
        ends = {"\n": "add a training row whose target has several lines"}
        if not task.info.one_line:
            ends = dict.fromkeys(NEXT_INPUT, "use a model with a chat template, which needs none")
        yield from ends.items()


def _written(task: Task) -> Iterator[tuple[str, Sequence[tuple[str, ...]]]]:
    """Yield what a model is to write, any of the texts of a row: rows by split, or labels."""
    if task.spec.answer.kind == "choice":
        yield "labels", [(label,) for label in task.labels]
        return
    for name, split in (("training targets", task.train), ("test targets", task.test)):
        if len(split):
            yield name, _targets(split)


def _targets(split: Split) -> list[tuple[str, ...]]:
    return [example.targets for example in split]


def _shortest(ref: ModelRef, rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Return how many tokens each row's shortest accepted answer needs."""
    flat = [target for accepted in rows for target in accepted]
    lengths = iter(tokens_of(ref, flat))
    return [min(next(lengths) for _ in accepted) for accepted in rows]
