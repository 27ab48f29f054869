"""A whole comparison: what comparison.json holds and the report shows.

`None` = not known, with a reason beside it where a limit depends on it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from harness.analysis.schema import Conclusion
from harness.analysis.schema.curve import LearningCurve
from harness.analysis.schema.diagnostics import ArmDiagnostics, FloorResult
from harness.analysis.schema.effort import EffortResult
from harness.analysis.schema.examples import Examples
from harness.analysis.schema.report_warning import ReportWarning
from harness.analysis.schema.scores import (
    AnswerCounts,
    CitedAnswer,
    ClassScore,
    Difference,
    Gap,
    Leakage,
    Resolution,
    Score,
    SliceScore,
    Unanswerable,
)
from harness.analysis.schema.trainings import Trainings
from harness.analysis.schema.weaknesses import Confusion, Sureness
from harness.store.finding import Finding
from harness.store.machine import Machine
from harness.store.records import Status

VerdictName = Literal["choose", "tie", "not_enough_evidence", "nothing_feasible"]


class Check(Conclusion):
    """One hard limit or need, checked for one arm."""

    key: str
    """As the task file has it: "limits.max_p95_ms"."""
    text: str
    """In words, with both figures."""
    state: Literal["met", "missed", "unknown"]
    borderline: bool = False
    """The limit lies inside the measurement's interval."""
    excess: float | None = None
    """Miss relative to the limit: 0.2 is 20% past it."""


class NotCompared(Conclusion):
    """Figures of an arm that are not compared with those of other arms."""

    why: str
    """Names both machines."""
    limits: tuple[str, ...] = ()
    """Keys of the task's limits that its figures are not checked against."""


class Foresight(Conclusion):
    """What an arm was expected to take before it ran, compared with what it took."""

    fit_peak_bytes: int | None
    predict_peak_bytes: int | None
    fit_peak_ratio: float | None
    """Predicted over measured."""
    predict_peak_ratio: float | None
    fit_wall_low_s: float | None
    fit_wall_high_s: float | None
    serve_wall_low_s: float | None
    serve_wall_high_s: float | None
    serve_wall_s: float | None
    """Measured: loading, single requests and all test rows at once."""
    within: bool | None
    """Whether both peaks are within 20% or 200 MB, and both times in their ranges widened by 35%
    or 5 s; None where nothing could be compared."""
    why: str | None
    """Why it was not expected to fit in memory, or why something was not known."""


class CostPart(Conclusion):
    """One component of a cost, as the table shows it."""

    name: str
    usd: float | None
    """None: not known."""
    at_least: bool = False
    """Some of it is not known and not in the figure."""
    in_total: bool = True
    """False: it stands beside the total."""


COST_KEYS = {
    "labels": "labels_usd",
    "people's time": "people_usd",
    "preparation": "fitting_usd",
    "repeated preparation": "refitting_usd",
    "serving": "serving_usd",
}
"""Components of a cost that comparison.json also holds under a key of their own."""


class CostParts(Conclusion):
    """Cost over the horizon, part by part. Money is None where no price applies."""

    labels_usd: float | None = None
    people_usd: float | None = None
    fitting_usd: float | None = None
    refitting_usd: float | None = None
    serving_usd: float | None = None
    not_counted: tuple[str, ...] = ()
    machine_s: float | None = None
    """Machine-seconds of preparation, repeated preparation and serving, whatever they cost."""
    components: tuple[CostPart, ...] = ()
    """Every component, in the order of the table; the keys above hold some of them by name."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, values: Any) -> Any:
        """List the components of a comparison that was written when there were only the keys."""
        if not isinstance(values, dict) or "components" in values:
            return values
        listed = ({"name": name, "usd": values.get(key)} for name, key in COST_KEYS.items())
        return {**values, "components": tuple(listed)}


class ArmResult(Conclusion):
    """All that was found of one arm. The first block is the contract that programs read."""

    strategy: str
    """The arm's name."""
    status: Status
    error: str | None = None
    score: Score | None = None
    gap_to_best: Gap = Field(Gap(), alias="loss_to_best")
    p50_s: float | None = None
    p95_s: float | None = None
    p50_cold_s: float | None = None
    throughput_per_s: float | None = None
    fit_wall_s: float | None = None
    fit_peak_bytes: int | None = None
    """What limits on memory are about: of the GPU where the arm used one, else of RAM."""
    predict_peak_bytes: int | None = None
    """Likewise, of serving."""
    artifact_bytes: int | None = None
    energy_j: float | None = None
    """Of preparation and of answering all test rows, by the GPU's own counter."""
    fit_usd: float | None = None
    usd_per_1k_busy: float | None = None
    usd_per_1k_reserved: float | None = None
    total_usd: float | None = None
    prompt_tokens_mean: float | None = None
    misses: tuple[str, ...] = ()

    fit_peak_ram_bytes: int | None = None
    """Resident main memory; None in this and the next three also in comparisons of earlier
    versions."""
    fit_peak_gpu_bytes: int | None = None
    """What torch reserved on the GPU; None: the arm used none."""
    predict_peak_ram_bytes: int | None = None
    predict_peak_gpu_bytes: int | None = None
    use: str
    """The strategy's registered name."""
    params: dict[str, Any]
    complexity: int
    tunes: bool | None = None
    """Serves a pretrained model's weights that were tuned for the task; None in comparisons of
    earlier versions."""
    also: tuple[Score, ...] = ()
    without_leaks: Score | None = None
    """On the rows whose input stands in no other split: the same rows for every arm."""
    leakage: Leakage | None = None
    """Test rows in what this arm may use; None: it did not finish, or an earlier version ran it."""
    slices: tuple[SliceScore, ...] = ()
    classes: tuple[ClassScore, ...] = ()
    """For choices among not too many labels."""
    confusion: Confusion | None = None
    """Likewise; None also in comparisons of earlier versions, as is the next."""
    sureness: Sureness | None = None
    """Of an arm that gives its labels' probabilities."""
    unanswerable: Unanswerable | None = None
    """Where the task says what to answer to such questions, and has some."""
    cited: tuple[CitedAnswer, ...] = ()
    """The first answers of an arm that names sources."""
    worst_slice: SliceScore | None = None
    """The slice with the lowest score, of at least two that have at least 10 rows."""
    diagnostics: ArmDiagnostics = Field(ArmDiagnostics(), alias="facts")
    """What tuning changed besides the score, and whether its probabilities are right."""
    effort: EffortResult | None = None
    """How its parameters were chosen; None: it has those that its entry or its strategy gives."""
    floors: tuple[FloorResult, ...] = ()
    """Cheap strategies that it is not below where it works; none in comparisons of earlier
    versions."""
    checks: tuple[Check, ...] = ()
    cost: CostParts = CostParts()
    machine: Machine | None = None
    """That served it, and that its times, memory and energy are of; None: not on record, or it did
    not finish."""
    not_compared: NotCompared | None = None
    """None: all its figures are compared with those of other arms."""
    foresight: Foresight | None = None
    """None where no forecast was made."""
    answers: AnswerCounts | None = None
    """None: it did not finish, or an earlier version wrote the comparison."""
    failed_items: int = 0
    seeds: tuple[int, ...] = ()
    trainings: Trainings | None = None
    """None: it was trained once, did not finish, or an earlier version wrote the comparison."""
    notes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """What was really loaded, in words."""


class BreakEven(Conclusion):
    """Where the cheaper of two arms changes with volume."""

    first: str
    second: str
    requests: float | None
    """Requests over the horizon at which both cost the same; None if that is at no volume, or at
    several, as on machines that are always on."""
    text: str
    crossings: tuple[float, ...] = ()
    """Requests a month at which the cheaper of the two changes, in ascending order."""


class CostLine(Conclusion):
    """What one arm costs at each volume of a curve."""

    strategy: str
    totals: tuple[float, ...]


class CostCurve(Conclusion):
    """Total cost over the horizon against volume, of arms whose costs are in one unit."""

    unit: Literal["usd", "s"]
    """Dollars, or our machine's seconds."""
    requests_per_month: tuple[float, ...]
    """In equal steps of their logarithm, the task's own volume in the middle."""
    lines: tuple[CostLine, ...]


class Flip(Conclusion):
    """Something that would change the choice, verified by the same rule with it applied."""

    change: str
    choice: str | None
    text: str
    key: str | None = None
    """What is changed: a key of the task file ("limits.max_p95_ms"), "machine.usd_per_hour",
    "charge.MODEL" or "score.ARM"."""
    value: float | None = None
    """What to change it to, in its own unit; of a charge, how many times what it is; of a score, by
    how much it is higher. None for a borderline limit, which stays and is met or missed instead."""


class Recommendation(Conclusion):
    """The verdict."""

    choice: str | None
    verdict: VerdictName
    provisional: bool = False
    tied_with: tuple[str, ...] = ()
    headline: str
    """The verdict in one sentence for somebody who reads nothing else."""
    reasons: tuple[str, ...]
    rejected: dict[str, str] = Field({})
    unsteady: tuple[str, ...] = ()
    """Arms whose trainings differ so much that no verdict rests on them, where one would."""
    flips: tuple[Flip, ...] = ()
    tried: tuple[str, ...] | None = None
    """Which kinds of change were tried, in words; None in comparisons that do not say it yet."""
    break_even: tuple[BreakEven, ...] = ()


class Comparison(Conclusion):
    """All that was found of one run."""

    schema_version: int = 1
    task: dict[str, Any]
    machine: Machine
    arms: tuple[ArmResult, ...] = Field(alias="rows")
    recommendation: Recommendation
    differences: tuple[Difference, ...] = ()
    resolution: Resolution | None = None
    """None where fewer than two arms finished."""
    not_as_sealed: tuple[str, ...] = ()
    """What the verdict rests on that is not as it was sealed before anything ran, in sentences."""
    warnings: tuple[ReportWarning, ...] = ()
    """The severe ones first; none in comparisons of earlier versions."""
    findings: tuple[str, ...] = ()
    """What the audit of the data, the machine and the measurements found, in sentences."""
    audit: tuple[Finding, ...] = ()
    """What the audit of the data found, as records; none in comparisons of earlier versions."""
    examples: Examples | None = None
    """Single test rows; None in comparisons of earlier versions."""
    cost_curve: CostCurve | None = None
    """Of the choice and the best others, where there is traffic."""
    learning_curve: LearningCurve | None = None
    """None: no trial on other rows was asked for."""
    cost_basis: str
    """What "cheaper" means in this comparison, in words."""
    run: dict[str, Any]
    """How it was run: command, commit, packages, model, hashes, dates."""
    sha256: str | None = None
    """Of the file's text before this key, where it is read from a file: by it a damaged one is told
    from the one that was written. None in those of earlier versions."""
