"""Does the model see what it is asked: every turn, labels that differ, inputs that fit?

An examination of the preflight. It renders marks with the model's own chat template, and cuts
labels and inputs with its own tokenizer; no weights are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness import registry
from harness.errors import ModelError
from harness.lm import LanguageModel, prompt_tokens
from harness.lm.chat import REMEDY, same_labels
from harness.run.answer_room import room_of
from harness.run.refusal import ArmRefusal
from harness.store.finding import Finding, FindingSeverity
from harness.task import Task
from harness.task.audit.answers import SEVERE
from harness.task.schema import Arm
from harness.types import EFFORT, THOUGHT_SWITCHES

if TYPE_CHECKING:
    from harness.run.preflight import Subject

LISTED = 5
"""So many pairs of labels are named, and the others counted."""


def prompts_seen(subject: Subject) -> Iterator[str | Finding | ArmRefusal]:
    """Yield what is to be said of prompts, and the arms whose prompts would not be seen.

    Raises:
        ModelError: no arm's prompts would be seen, or its labels cannot be told apart.
    """
    from harness.lm.loading.unloaded import without_weights

    if subject.ref.hosted is not None:
        return  # its server has template and tokenizer
    lm = without_weights(subject.ref)
    if lm is None:
        return  # whoever examines files tells
    if lm.has_turns:
        yield from _unseen_turns(subject, lm)
    yield from _unread_variables(subject.task, lm)
    if subject.task.spec.answer.kind == "choice":
        _check_labels(subject.task, lm)
    yield from _too_long(subject.task, lm)


def _unseen_turns(subject: Subject, lm: LanguageModel) -> Iterator[ArmRefusal]:
    """Yield the arms whose turns the template does not show."""
    name = lm.ref.name
    if lost := lm.chat.view(several=False).lost:
        raise ModelError(f"model '{name}': its chat template {lost} → {REMEDY}")
    if lost := lm.chat.view(several=True).lost:
        for arm in subject.arms:
            if _converses(subject.task, arm):
                yield ArmRefusal(
                    arm.name,
                    f"{arm.name} shows examples as earlier turns, and the chat template of '{name}'"
                    f" {lost} → leave {arm.name} out, or {REMEDY}",
                )


def _converses(task: Task, arm: Arm) -> bool:
    """Tell whether an arm, or a part of it, shows demonstrations as turns.

    Where no form is given they are turns only if the template shows these (`Model.default_form`).
    """
    strategy = task.strategies[arm.name]
    params = registry.resolved_params(strategy, task.params[arm.name], task.folder)
    parts = registry.with_parts(strategy, params, task.folder)
    given = [built.params for built in parts]
    return any(
        getattr(params, "shots", 0) and getattr(params, "template", "turns") == "turns"
        for params in given
    )


def _unread_variables(task: Task, lm: LanguageModel) -> Iterator[str]:
    """Say which of the task's template variables change nothing; refuse if none other is asked."""
    given = lm.ref.chat.template_kwargs
    unread = [name for name in given if not _reads(lm, name)]
    if not unread:
        return
    what = "its chat template does not read" if lm.has_turns else "it has no chat template to read"
    text = f"model '{lm.ref.name}': {what} {' and '.join(unread)} (chat_template_kwargs)"
    if len(task.spec.models) == 1 and all(arm.model in task.spec.models for arm in task.arms):
        raise ModelError(f"{text} → remove {'it' if len(unread) == 1 else 'them'}")
    yield f"{text}, so nothing changes there"


def _reads(lm: LanguageModel, variable: str) -> bool:
    if not lm.has_turns:
        return False
    # Whether a thought is opened, closed or left alone is decided here, whatever a template reads.
    decided = variable in (*THOUGHT_SWITCHES, EFFORT) and lm.chat.has_thoughts
    return decided or lm.chat.reads(variable)


def _check_labels(task: Task, lm: LanguageModel) -> None:
    """Check that the model can tell the labels apart."""
    pairs = [f"{one!r} and {other!r}" for one, other in same_labels(lm, list(task.labels))]
    if pairs:
        more = f", and {len(pairs) - LISTED} more" if len(pairs) > LISTED else ""
        raise ModelError(
            f"model '{lm.ref.name}': the labels {', '.join(pairs[:LISTED])}{more} are the same"
            " tokens for it → rename them in characters that its tokenizer knows"
        )


def _too_long(task: Task, lm: LanguageModel) -> Iterator[Finding]:
    """Say how many inputs do not fit even alone; refuse if none does."""
    most = lm.context_tokens
    if most is None:
        return
    longest = _answer_tokens(task, lm)
    texts = [query.full_text for query in task.test.queries]
    # A token is a byte at the least, so that most tasks need no look at their inputs.
    around = len(prompt_tokens(lm, "?"))
    if lm.has_room(max(len(text.encode("utf-8", "replace")) for text in texts) + around, longest):
        return
    sizes = {query.id: len(prompt_tokens(lm, query.full_text)) for query in task.test.queries}
    over = {row: size for row, size in sizes.items() if not lm.has_room(size, longest)}
    if not over:
        return
    also = f" beside the {longest} of its answer" if not lm.has_encoder else ""
    fix = "shorten the inputs, or name a model with a longer context"
    if task.spec.answer.kind != "choice":
        fix = f"lower generation.max_new_tokens, {fix}"
    if len(over) == len(sizes):
        raise ModelError(
            f"model '{lm.ref.name}': none of the {len(sizes)} test inputs fits its {most} tokens:"
            f" the shortest needs {min(over.values())}{also}, without any instruction → {fix}"
        )
    verb = "does" if len(over) == 1 else "do"
    text = (
        f"'{lm.ref.name}': {len(over)} of {len(sizes)} test inputs {verb} not fit its {most} tokens"
        f" (the longest needs {max(over.values())}{also}) and will fail"
    )
    severity: FindingSeverity = "severe" if len(over) > SEVERE * len(sizes) else "warning"
    yield Finding.of("inputs without room", text, list(over), severity=severity, remedy=fix)


def _answer_tokens(task: Task, lm: LanguageModel) -> int:
    if task.spec.answer.kind == "choice":
        return max(lm.count_answer_tokens(label) for label in task.labels)
    return room_of(task, lm.ref).max_new_tokens
