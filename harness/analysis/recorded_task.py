"""The task as a run recorded it, typed: what the analysis reads of it, and nothing else.

`harness.task.schema` is strict, because it reads what a user writes today. This reads what some
version once wrote: keys that it does not know are skipped, and a missing one has today's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from harness.errors import RunFolderError
from harness.types import AnswerKind, TaskInfo


class Recorded(BaseModel):
    """Base of all parts: immutable, tolerant of further keys."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Answer(Recorded):
    """What an answer looks like, with labels and schema as they were read from their files."""

    kind: AnswerKind
    labels: Annotated[dict[str, str], BeforeValidator(lambda value: value or {})] = {}
    """Label to description; empty unless `kind` is choice."""
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    no_answer: str | None = None


class Limits(Recorded):
    """Hard limits, in the units that their names say; None: not set."""

    min_score: float | None = None
    max_p95_ms: float | None = None
    max_serve_memory_gib: float | None = None
    max_fit_memory_gib: float | None = None
    max_usd_per_1k: float | None = None

    def are_set(self) -> Iterator[tuple[str, float]]:
        """Yield the key and the value of each limit that is set."""
        for key in type(self).model_fields:
            value: float | None = getattr(self, key)
            if value is not None:
                yield key, value


class Needs(Recorded):
    """What the product needs besides quality."""

    knowledge_updates_per_month: float = 0
    model_changes_per_year: float = 0
    per_user_data: bool = False
    citations: bool = False
    offline: bool = False
    licence: list[str] | None = None

    def asks_for(self, offer: str) -> bool:
        """Tell whether something is needed that an arm may offer ("citations")."""
        return bool(getattr(self, offer, False))


class Traffic(Recorded):
    """How much will be asked, for how long, and how it is served."""

    requests_per_month: float
    months: float = 12
    serving: Literal["busy", "reserved"] = "busy"
    utilisation: float = 0.3


class Labour(Recorded):
    """What people's work costs; None: not given, so not counted."""

    usd_per_label: float | None = None
    usd_per_hour: float | None = None
    hours: dict[str, float] = {}


class Diagnostics(Recorded):
    """Which diagnostics the report is to hold; a run older than a key holds them all."""

    forgetting: bool = True
    robustness: bool = True
    calibration: bool = True
    overfitting: bool = True
    worst_slice: bool = True
    floors: bool = True


class Report(Recorded):
    """What the report shows of single rows; a run older than the key shows twelve."""

    examples: Literal["none", "ids", 12, "all"] = 12


class RecordedTask(Recorded):
    """A whole task."""

    name: str
    instruction: str
    answer: Answer
    slices: list[str] = Field([], validation_alias=AliasPath("data", "slices"))
    metric: str
    also: list[str] = []
    margin: float = 0.0
    limits: Limits = Limits()
    needs: Needs = Needs()
    traffic: Traffic | None = None
    labour: Labour = Labour()
    diagnostics: Diagnostics = Field(
        Diagnostics(), validation_alias=AliasChoices("diagnostics", "facts")
    )
    report: Report = Report()

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> RecordedTask:
        """Read the task of a run's header.

        Raises:
            RunFolderError: it is not what any version wrote.
        """
        try:
            return cls.model_validate(recorded)
        except ValidationError as problem:
            fault = problem.errors()[0]
            place = ".".join(map(str, fault["loc"]))
            what = f"the task on record cannot be read ({place}: {fault['msg']})"
            raise RunFolderError(f"{what} → run the task again") from None

    @property
    def info(self) -> TaskInfo:
        """What decides how an answer is read."""
        answer = self.answer
        return TaskInfo(
            self.name,
            self.instruction,
            answer.kind,
            answer.labels,
            schema=answer.json_schema,
            no_answer=answer.no_answer,
        )
