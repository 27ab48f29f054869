"""What is known of models before one is loaded, so that no refusal comes after a training.

An examination reads configurations, tokenizers and the headers of weight files. It loads no model
and asks no server. `check` and `plan` tell what is found; `run` turns a refused model's arms into
rows and runs the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.errors import ModelAbsentError, ModelError
from harness.lm.loading.whole_model import examine
from harness.run.answer_schema import can_be_followed
from harness.run.answers_fit import answers_fit
from harness.run.prompts_seen import prompts_seen
from harness.run.refusal import ArmRefusal
from harness.store.finding import Finding
from harness.task import Task
from harness.task.model_spec import Hosted, hosted_ref, name_of
from harness.task.schema import Arm
from harness.types import ModelRef


@dataclass(frozen=True)
class Subject:
    """A model and what it is to be used for."""

    task: Task
    ref: ModelRef
    arms: tuple[Arm, ...]
    """Those that are going to use it; at least one."""
    fetched: bool = True
    """Whether all its files were fetched. `check` fetches nothing."""


Found = str | Finding | ArmRefusal
"""What is worth saying, in a sentence or with its rows, or an arm that cannot use the model."""
Examination = Callable[[Subject], Iterator[Found]]
"""Yields what it finds; raises `ModelError` with the reason and the remedy where no arm can use the
model on this task."""


def _is_whole(subject: Subject) -> Iterator[Found]:
    """Examine a model's files: whether they are a whole language model."""
    return examine(subject.ref, subject.fetched)


def _schema_is_followed(subject: Subject) -> Iterator[Found]:
    """Examine the schema that a local model's answers are held to."""
    return schema_is_followed(subject.task) if subject.ref.hosted is None else iter(())


def schema_is_followed(task: Task) -> Iterator[str]:
    """Examine the schema that a local model's answers would be held to, whichever it is."""
    if task.schema is not None:
        yield from can_be_followed(task.schema, [row.targets for row in task.truth])


EXAMINATIONS: tuple[Examination, ...] = (
    _is_whole,
    prompts_seen,
    _schema_is_followed,
    answers_fit,
)
"""In order: what a later one reads, an earlier one has found whole."""


@dataclass(frozen=True)
class Preflight:
    """What was found of all models."""

    refused: Mapping[str, str]
    """By the model's name, why no arm can use it and what to do."""
    findings: tuple[Finding, ...]
    """What is worth saying."""
    refused_arms: Mapping[str, str] = field(default_factory=dict)
    """By the arm's name, likewise, where others can use its model."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is worth saying, in sentences."""
        return tuple(finding.sentence for finding in self.findings)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why models and arms are refused."""
        return (*self.refused.values(), *self.refused_arms.values())


def preflight(
    task: Task,
    models: Mapping[str, ModelRef],
    only: frozenset[str] = frozenset(),
    fetched: bool = True,
) -> Preflight:
    """Examine models.

    Args:
        task: with its data.
        models: those that were found, by name.
        only: the arms that count; empty: all.
        fetched: whether all files of these models were fetched.
    """
    refused: dict[str, str] = {}
    findings: list[Finding] = []
    refused_arms: dict[str, str] = {}
    for name, ref in models.items():
        arms = tuple(
            arm
            for arm in task.arms
            if name in map(name_of, task.models_of(arm)) and (not only or arm.name in only)
        )
        try:
            for examination in EXAMINATIONS if arms else ():
                for found in examination(Subject(task, ref, arms, fetched)):
                    if isinstance(found, ArmRefusal):
                        refused_arms[found.arm] = found.why
                    else:
                        findings.append(_finding(found))
        except ModelError as problem:
            refused[name] = str(problem)
    return Preflight(refused, _once(findings), refused_arms)


def _finding(said: str | Finding) -> Finding:
    return Finding.of_sentence(said, "model") if isinstance(said, str) else said


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without those that say the same again."""
    return tuple({finding.sentence: finding for finding in findings}.values())


def examined(task: Task) -> Preflight:
    """Examine a task's models as far as their files are on this machine; fetch nothing."""
    from harness.lm.loading.resolve import resolve

    models: dict[str, ModelRef] = {}
    refused: dict[str, str] = {}
    absent: list[str] = []
    for model in (model for arm in task.arms for model in task.models_of(arm)):
        name = name_of(model)
        try:
            if isinstance(model, Hosted):
                models[name] = hosted_ref(model)
            elif name not in models:
                models[name] = resolve(model, task.folder, fetch=False, weights=False)
        except ModelAbsentError as missing:
            absent.append(f"{missing}: it is examined when `run` has fetched it")
            try:  # the schema is what it is, whatever the model turns out to be
                absent += schema_is_followed(task)
            except ModelError as problem:
                refused[name] = str(problem)
        except ModelError as problem:
            refused[name] = str(problem)
    models = {name: replace(ref, chat=task.chat) for name, ref in models.items()}
    found = preflight(task, models, fetched=False)
    findings = _once((*map(_finding, absent), *found.findings))
    return Preflight({**refused, **found.refused}, findings, found.refused_arms)
