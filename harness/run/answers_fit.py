"""Can a right answer be written: does it fit, and does nothing end it before its end?

An examination of the preflight. Counts targets and shows none; it runs in the process that may see
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import ModelError
from harness.lm.sizing.token_count import CHARACTERS, context_tokens, token_counter
from harness.run.answer_room import room_of, tokens_of, with_margin
from harness.store.finding import Finding, FindingSeverity
from harness.store.records import AnswerRoom
from harness.task import Task
from harness.task.audit.answers import SEVERE
from harness.toolkit.prompts import next_input
from harness.types import ModelRef

if TYPE_CHECKING:
    from harness.run.preflight import Subject

NOTHING_RIGHT = "no right answer can be written"


class Written(NamedTuple):
    """What a model is to write: any of the texts of each row of a split, or the labels."""

    name: str
    ids: Sequence[str]
    accepted: Sequence[tuple[str, ...]]


def answers_fit(subject: Subject) -> Iterator[str | Finding]:
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


def _too_long(task: Task, ref: ModelRef, room: AnswerRoom) -> Iterator[Finding]:
    """Say how many targets need more room than answers have."""
    most, longest, all_n = room.max_new_tokens, 0, 0
    parts: list[str] = []
    long: list[str] = []
    for name, ids, rows in _written(task):
        lengths = _shortest(ref, rows)
        over = [row for row, length in zip(ids, lengths, strict=True) if length > most]
        longest = max(longest, *lengths)
        all_n, long = all_n + len(rows), long + over
        if over:
            parts.append(f"{len(over)} of {len(rows)} {name}")
    if not long:
        return
    about = "about " if token_counter(ref).estimates else ""
    verb = "needs" if len(long) == 1 else "need"
    text = (
        f"{' and '.join(parts)} {verb} more than the {most} tokens that an answer may"
        f" have (the longest {about}{longest})"
    )
    fix = _wider(ref, longest)
    # An estimate may be wrong, so it refuses nothing.
    if len(long) == all_n and not about:
        raise ModelError(f"'{ref.name}': {NOTHING_RIGHT}: {text} → {fix}")
    yield _finding("answers without room", f"'{ref.name}': {text}", fix, long, all_n)


def _finding(kind: str, text: str, remedy: str, ids: Sequence[str], all_n: int) -> Finding:
    """Return a finding about rows whose right answer cannot be written, out of so many."""
    severity: FindingSeverity = "severe" if len(ids) > SEVERE * all_n else "warning"
    return Finding.of(kind, text, ids, severity=severity, remedy=remedy)


def _wider(ref: ModelRef, longest: int) -> str:
    """Return what gives the longest target room."""
    context, room = context_tokens(ref), with_margin(longest)
    if context is not None and room >= context:
        return f"use a model whose context takes more than the {context} tokens of this one"
    return f"write `generation: {{max_new_tokens: {room}}}`"


def _ended_early(task: Task, ref: ModelRef) -> Iterator[Finding]:
    """Say how many targets hold a string that ends an answer."""
    for stop, fix in _stops(task, ref):
        parts: list[str] = []
        holding: list[str] = []
        all_n = 0
        for name, ids, rows in _written(task):
            held = [
                row
                for row, accepted in zip(ids, rows, strict=True)
                if all(stop in target for target in accepted)
            ]
            all_n, holding = all_n + len(rows), holding + held
            if held:
                parts.append(f"{len(held)} of {len(rows)} {name}")
        if not holding:
            continue
        verb = "holds" if len(holding) == 1 else "hold"
        text = (
            f"{' and '.join(parts)} {verb} the stop string {stop!r}, which ends an"
            " answer before it is whole"
        )
        if len(holding) == all_n:
            raise ModelError(f"'{ref.name}': {NOTHING_RIGHT}: {text} → {fix}")
        yield _finding("stop strings in targets", f"'{ref.name}': {text}", fix, holding, all_n)


def _stops(task: Task, ref: ModelRef) -> Iterator[tuple[str, str]]:
    """Yield each string that ends an answer, with what to do where targets hold it."""
    for stop in task.spec.generation.stop:
        yield stop, "remove it from `generation: {stop: […]}`"
    if task.spec.answer.kind == "text" and not token_counter(ref).has_template:
        ends = {"\n": "add a training row whose target has several lines"}
        if not task.info.one_line:
            template = "use a model with a chat template, which needs none"
            ends = dict.fromkeys(next_input(task.info), template)
        yield from ends.items()


def _written(task: Task) -> Iterator[Written]:
    """Yield what a model is to write."""
    if task.spec.answer.kind == "choice":
        yield Written("labels", list(task.labels), [(label,) for label in task.labels])
        return
    for name, split in (("training targets", task.train), ("test targets", task.test)):
        if len(split):
            ids = [query.id for query in split.queries]
            yield Written(name, ids, [example.targets for example in split])


def _shortest(ref: ModelRef, rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Return how many tokens each row's shortest accepted answer needs."""
    flat = [target for accepted in rows for target in accepted]
    lengths = iter(tokens_of(ref, flat))
    return [min(next(lengths) for _ in accepted) for accepted in rows]
