"""Enter answers that were made elsewhere: today's system, a vendor's model, people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    ValidationError,
)
from pydantic_core import ErrorDetails

import harness
from harness import Estimate, InputFile, Prediction, Prompt, Prospect, Query, Split, Strategy
from harness.errors import StrategyError
from harness.wording.wrong_value import wrong_value

ALMOST_0 = 1e-6
"""Above 0 by as much a logarithm of a probability may be, having been rounded."""
RECORDED = '{"recorded"'
"""How the first line of a file begins that `harness record` wrote: it says how it asked."""
LogProbability = Annotated[float, Field(le=ALMOST_0)]
"""Natural logarithm of a probability."""


def known_reason(value: object) -> object:
    """Return why an answer ended, of the reasons that tell whether it is whole; None for others.

    Servers have more ("content_filter", "tool_calls"), and files repeat what servers said.
    """
    return None if isinstance(value, str) and value not in ("stop", "length") else value


class Line(BaseModel):
    """A line of the file: an id and the fields of a prediction, each of its own type or null."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)

    id: str | int | float
    text: str
    label_logprobs: dict[str, LogProbability] | None = None
    prompt: Prompt | None = None
    prompt_tokens: NonNegativeInt | None = None
    cached_tokens: NonNegativeInt | None = None
    output_tokens: NonNegativeInt | None = None
    finish_reason: Annotated[Literal["stop", "length"] | None, BeforeValidator(known_reason)] = None
    mean_logprob: LogProbability | None = None
    least_logprob: LogProbability | None = None
    sources: tuple[str, ...] | None = None
    error: str | None = None
    notes: tuple[str, ...] | None = None
    wall_s: NonNegativeFloat | None = None
    usd: NonNegativeFloat | None = None
    query_sha256: str | None = None
    """In a file of `harness record`: hash of what was asked."""

    def prediction(self, usd: float | None) -> Prediction:
        """Return the answer; one that names no price costs `usd`."""
        names = (name for name in type(self).model_fields if name not in ("id", "query_sha256"))
        fields = ((name, getattr(self, name)) for name in names)
        known = {name: value for name, value in fields if value is not None}
        return Prediction(**{"usd": usd, **known})


class Predictions(Strategy):
    """Give the answers that stand in a file, by the rows' ids."""

    complexity = 2
    replays = True

    class Params(harness.Params):
        """Where the answers stand, and what one costs."""

        file: InputFile
        """What `harness record` wrote, or JSON lines of `id` and `text`; also `label_logprobs`,
        `sources`, `wall_s` (seconds that the answer took), `usd` (its price) and whatever else a
        prediction has. A field that is null is as good as none; fields of other names are
        ignored."""
        usd_per_1k: float | None = Field(None, ge=0)
        """Price of a thousand answers, where the lines name none."""
        fit_usd: float = Field(0, ge=0, allow_inf_nan=False)
        """Price of making what gives the answers, such as a vendor's fine-tuning; 0: it stands
        already."""
        tuned: bool = False
        """Whether the answers are a fine-tuned model's: the verdict counts it as fine-tuning on
        the task's training and validation rows, whose labels are part of its cost."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Count as fine-tuning where a fine-tuned model gave the answers."""
        return super().needs(params) | ({"weights"} if params.tuned else set())

    @classmethod
    def fit_usd(cls, params: Params) -> float:
        """Return what the parameters say: copying a file is not what it cost."""
        return params.fit_usd

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare nothing worth counting: the work was done elsewhere."""
        return Estimate(fit=(), serve=())

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Check the file and keep a copy of it."""
        read(Path(self.params.file))
        shutil.copy(self.params.file, artifact / "predictions.jsonl")

    def load(self, artifact: Path) -> None:
        """Read the answers."""
        self.lines = read(artifact / "predictions.jsonl")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give each query's answer; one that the file lacks is a failed item.

        Raises:
            StrategyError: the file was recorded, and lacks answers that can be asked for still, or
                was asked something else.
        """
        if any(line.query_sha256 for line in self.lines.values()):
            self._check(queries)
        return [self._answer(query) for query in queries]

    def _check(self, queries: Sequence[Query]) -> None:
        name = Path(self.params.file).name
        missing = [query.id for query in queries if query.id not in self.lines]
        if missing:
            raise StrategyError(
                f"{name} has no answer to {len(missing)} of {len(queries)} rows, the first"
                f" '{missing[0]}' → `harness record` asks for these alone, or run with the same"
                " --limit as it"
            )
        known = ((query, self.lines[query.id].query_sha256) for query in queries)
        other = [query.id for query, asked in known if asked not in (None, query.sha256)]
        if other:
            raise StrategyError(
                f"{name} answers {len(other)} rows that have changed since, the first '{other[0]}'"
                " → put them back, or have these asked again with `harness record`"
            )

    def _answer(self, query: Query) -> Prediction:
        line = self.lines.get(query.id)
        if line is None:
            return Prediction("", error=f"the file has no answer to the row '{query.id}'")
        price = self.params.usd_per_1k
        return line.prediction(None if price is None else price / 1000)


def read(file: Path) -> dict[str, Line]:
    """Read a file of predictions, by id.

    Raises:
        StrategyError: a line is not a prediction, or an id stands twice: the first fault, with its
            place, and how many more there are.
    """
    lines: dict[str, Line] = {}
    faults: list[str] = []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise StrategyError(f"{file.name} is not UTF-8 ({problem}) → save it as UTF-8") from None
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        if number == 1 and row.startswith(RECORDED):
            continue
        where = f"{file.name}:{number}"
        try:
            line = Line.model_validate_json(row)
        except ValidationError as problem:
            faults += (f"{where}: {fault}" for fault in _faults(problem))
            continue
        if str(line.id) in lines:
            faults.append(f"{where}: the id '{line.id}' stands twice → remove one")
        lines[str(line.id)] = line
    if faults:
        others = f" (and {len(faults) - 1} other faults of this file)" if len(faults) > 1 else ""
        raise StrategyError(f"{faults[0]}{others}")
    return lines


FIXES = {
    "dict_type": 'write an object: {"label": logarithm of its probability, …}',
    "float_type": "write a number, without quotes",
    "int_type": "write a whole number, without quotes",
    "less_than_equal": "write natural logarithms of probabilities: none is above 0",
    "greater_than_equal": "write what it was, or leave the field out: then it is unknown",
    "finite_number": "leave the field out: then it is unknown",
    "string_type": "write a text, in quotes",
    "tuple_type": 'write a list, in brackets: ["…"]',
}
"""What to write instead, by the kind of fault as pydantic names it."""


def _faults(problem: ValidationError) -> Iterator[str]:
    """Yield what is wrong with a line and what to do, once for each field."""
    seen = set()
    for error in problem.errors():
        field = str(error["loc"][0]) if error["loc"] else ""
        if field not in seen:  # a field that may be several things has a fault for each
            seen.add(field)
            yield _fault(field, error)


def _fault(field: str, error: ErrorDetails) -> str:
    if not field:
        return 'this is not {"id": …, "text": …} → write one JSON object a line'
    if error["type"] == "missing":
        fix = "write the row's id" if field == "id" else "write the answer"
        return f"`{field}` is missing → {fix} under `{field}`"
    what, fix = wrong_value(error, json.dumps(error["input"], ensure_ascii=False))
    fix = FIXES.get(error["type"]) or fix or "correct it, or leave the field out"
    return f"`{field}`: {what} → {fix}"
