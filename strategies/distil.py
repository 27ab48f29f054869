"""Have a teacher answer inputs without labels, and train a cheaper student on its answers too."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Self

from pydantic import model_validator

import harness
from harness import (
    Estimate,
    Example,
    Floor,
    Part,
    Prediction,
    Prompt,
    Prospect,
    Query,
    RowsFile,
    Split,
    Strategy,
    toolkit,
)
from harness.errors import StrategyError
from harness.toolkit.selection import surviving
from harness.workload import by_model

CHEAP = frozenset({"tfidf", "classic", "encoder", "nearest"})
"""Students that are trained once more without their teacher's answers, as a floor."""


class Distil(Strategy):
    """A student that learns from the training rows and from a teacher's answers to other inputs.

    The teacher's labels are taken as they stand (hard labels), as Hsieh et al. 2023 (arXiv
    2305.02301) do beside its reasons. The student alone is shipped and answers the test.
    """

    answers = frozenset({"choice", "text", "json"})
    complexity = 3

    class Params(harness.Params):
        """Who teaches, who learns, and on what inputs."""

        teacher: toolkit.PartParams = ""
        """A name, or a mapping with `use`, its parameters and perhaps a `model`."""
        student: toolkit.PartParams = "tfidf"
        unlabelled: RowsFile = ""
        """File of rows like the task's, without answers."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if not self.teacher:
                raise ValueError("no `teacher` is named → write e.g. teacher: few_shot")
            if not self.unlabelled:
                raise ValueError(
                    "its teacher has nothing to answer → write unlabelled: FILE, rows like those of"
                    " the task, without answers"
                )
            teacher, student = toolkit.part_of(self.teacher), toolkit.part_of(self.student)
            if teacher == student:
                raise ValueError(
                    f"`teacher` and `student` are the same ({toolkit.in_words(teacher)})"
                    " → name another strategy or model for one of them"
                )
            return self

    @classmethod
    def parts(cls, params: Params) -> tuple[Part, ...]:
        """Return both; the teacher is asked in preparation alone.

        Nothing is set here on the student's answers to validation rows, so it may learn from them
        as an arm may. So may the teacher, which says nothing of these rows to the student.
        """
        teacher = toolkit.part_of(params.teacher, serves=False)
        return teacher, toolkit.part_of(params.student, refits=True)

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Return the student without its teacher's answers, if it is cheap to train once more."""
        student = toolkit.part_of(params.student)
        if student.model is not None or student.strategy not in CHEAP:
            return ()
        what = "the same student without the teacher's answers"
        means = "what the teacher answered taught it nothing"
        return (Floor(student.strategy, student.params, what, means),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the teacher's work in preparation, and the student's on all rows."""
        teacher, student = cls.parts(params)
        queries = prospect.unlabelled.get(params.unlabelled, ())
        known = [row.targets for row in prospect.train] or [("",)]
        guessed = map(Example, queries, islice(cycle(known), len(queries)))
        more = Split(prospect.train.name, (*prospect.train, *guessed))
        taught = replace(prospect, queries=queries)
        teaching = by_model(prospect.part(teacher.strategy, teacher.params, taught), teacher.model)
        learning = by_model(
            prospect.part(student.strategy, student.params, replace(prospect, train=more)),
            student.model,
        )
        if None in (teaching.fit, teaching.serve, learning.fit):
            return replace(learning, fit=None)
        works = (*(teaching.fit or ()), *(teaching.serve or ()), *(learning.fit or ()))
        return replace(learning, fit=works)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Have the teacher answer, and train the student on that and the training rows.

        Raises:
            StrategyError: the teacher gave no answer that can be learnt.
        """
        for name in ("teacher", "student"):
            (artifact / name).mkdir(exist_ok=True)
        taught = self._taught(train, validation, artifact)
        shutil.rmtree(artifact / "teacher")  # the student alone is shipped
        gc.collect()  # or two models would be in memory at once
        rows = Split(train.name, (*train.examples, *taught))
        self._student().fit(rows, validation, artifact / "student")

    def load(self, artifact: Path) -> None:
        """Load the student."""
        self.student = self._student()
        self.student.load(artifact / "student")

    def predict(self, queries: Sequence[Query]) -> Sequence[Prediction]:
        """Pass the student's answers on."""
        return self.student.predict(queries)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the student's natural-log likelihood of each completion after its prompt."""
        return self.student.log_likelihood(prompts, completions)

    def _student(self) -> Strategy:
        return self._built("student", toolkit.part_of(self.params.student))

    def _built(self, role: str, part: Part) -> Strategy:
        """Return one of them, held off from validation rows where the whole is."""
        return self.context.build(
            part.strategy,
            part.params,
            role,
            part.model,
            holds_out_validation=self.context.holds_out_validation,
        )

    def _taught(self, train: Split, validation: Split, artifact: Path) -> list[Example]:
        """Return the inputs that the teacher answered, each with what it said as its target."""
        queries = self.context.unlabelled[self.params.unlabelled]
        part = toolkit.part_of(self.params.teacher)
        teacher = self._built("teacher", part)
        teacher.fit(train, validation, artifact / "teacher")
        teacher.load(artifact / "teacher")
        answers = surviving(teacher.predict, queries)
        self._tell_of_terms(teacher)
        said = [toolkit.said(answer, self.context.task) for answer in answers]
        taught = [
            Example(query, (text,))
            for query, text in zip(queries, said, strict=True)
            if text is not None
        ]
        if not taught:
            raise StrategyError(self._nothing_learnt(part, answers))
        failed = sum(bool(answer.error) for answer in answers)
        unread = len(queries) - len(taught) - failed
        self.context.note(
            "teacher",
            f"{toolkit.in_words(part)} answered {len(taught)} of {len(queries)} inputs; on {failed}"
            f" it failed, and {unread} answers are no {ANSWERS[self.context.task.answer_kind]}",
        )
        return taught

    def _nothing_learnt(self, part: Part, answers: Sequence[Prediction]) -> str:
        """Say why a teacher taught nothing, with its first answer."""
        first = answers[0]
        how = f"failed: {first.error}" if first.error else f"is {first.text[:60]!r}"
        return (
            f"the teacher, {toolkit.in_words(part)}, gave none of {len(answers)} inputs an answer"
            f" to learn from; the first {how} → name another teacher, or mend what made it fail"
        )

    def _tell_of_terms(self, teacher: Strategy) -> None:
        """Note that another model's answers were learnt: its terms may not allow that."""
        model = teacher.context.model
        student = self._student().context.model
        asks = "model" in type(teacher).needs(teacher.params)
        if model is None or not asks or (student is not None and student.name == model.name):
            return
        licence = f" (licence: {model.licence})" if model.licence else ""
        self.context.note(
            "teacher",
            f"the student learnt from answers of {model.name}{licence}: check that the teacher's"
            " terms allow training on its answers",
        )


ANSWERS = {"choice": "label of the task", "text": "text", "json": "JSON that follows the schema"}
"""What an answer must be to be learnt, by the kind of answer."""
