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
from harness.analysis.schema.measured_curves import Latencies
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
    """Whether the limit is met; unknown: what it is about was not measured."""
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
    """Forecast peak of preparation."""
    predict_peak_bytes: int | None
    """Forecast peak of serving."""
    fit_peak_ratio: float | None
    """Predicted over measured."""
    predict_peak_ratio: float | None
    """Likewise, of serving."""
    fit_wall_low_s: float | None
    """Forecast of preparation, at the least."""
    fit_wall_high_s: float | None
    """At the most."""
    serve_wall_low_s: float | None
    """Forecast of serving the test rows, at the least."""
    serve_wall_high_s: float | None
    """At the most."""
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
    """What it is called in the table."""
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
    """Labels."""
    people_usd: float | None = None
    """People's time."""
    fitting_usd: float | None = None
    """Preparation."""
    refitting_usd: float | None = None
    """Repeated preparation."""
    serving_usd: float | None = None
    """Serving."""
    not_counted: tuple[str, ...] = ()
    """What is in no figure, in words."""
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
    """How it ended: ok, failed, timeout, out_of_memory, or skipped: it did not run."""
    error: str | None = None
    """Why it did not finish."""
    score: Score | None = None
    """By the task's metric; null: it did not finish."""
    gap_to_best: Gap = Field(Gap(), alias="loss_to_best")
    """How far it scores below the best of the others."""
    p50_s: float | None = None
    """Median latency of one warm request."""
    p95_s: float | None = None
    """Latency that 95% of warm requests stay below."""
    p50_cold_s: float | None = None
    """Median latency without a prompt cache."""
    throughput_per_s: float | None = None
    """Test rows a second, all at once."""
    latencies: Latencies | None = None
    """Of single requests; None: not measured, or an earlier version wrote the comparison."""
    fit_wall_s: float | None = None
    """Preparation: training or indexing."""
    fit_peak_bytes: int | None = None
    """What limits on memory are about: of the GPU where the arm used one, else of RAM."""
    predict_peak_bytes: int | None = None
    """Likewise, of serving."""
    artifact_bytes: int | None = None
    """Size of what it keeps on disk."""
    energy_j: float | None = None
    """Of preparation and of answering all test rows, by the GPU's own counter."""
    fit_usd: float | None = None
    """Preparation."""
    usd_per_1k_busy: float | None = None
    """1,000 requests, paid per use."""
    usd_per_1k_reserved: float | None = None
    """1,000 requests on a machine that is always on."""
    total_usd: float | None = None
    """Over the horizon; null: not known."""
    prompt_tokens_mean: float | None = None
    """Tokens of a prompt, on average."""
    misses: tuple[str, ...] = ()
    """Limits and needs that it misses, in words."""

    fit_peak_ram_bytes: int | None = None
    """Resident main memory; None in this and the next three also in comparisons of earlier
    versions."""
    fit_peak_gpu_bytes: int | None = None
    """What torch reserved on the GPU; None: the arm used none."""
    predict_peak_ram_bytes: int | None = None
    """Likewise, while it served."""
    predict_peak_gpu_bytes: int | None = None
    """Likewise, while it served."""
    use: str
    """The strategy's registered name."""
    params: dict[str, Any]
    """All parameters, defaults included."""
    complexity: int
    """How much there is to build and keep: 0 is the least."""
    tunes: bool | None = None
    """Serves a pretrained model's weights that were tuned for the task; None in comparisons of
    earlier versions."""
    also: tuple[Score, ...] = ()
    """By the further metrics."""
    fully_right: float | None = None
    """Share of test rows whose answer is right as a whole, over all seeds: for choices accuracy,
    else exact match. None: that does not apply, or an earlier version wrote the comparison."""
    without_leaks: Score | None = None
    """On the rows whose input stands in no other split: the same rows for every arm."""
    leakage: Leakage | None = None
    """Test rows in what this arm may use; None: it did not finish, or an earlier version ran it."""
    slices: tuple[SliceScore, ...] = ()
    """Within rows that share a value of a column."""
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
    """Each limit and need."""
    cost: CostParts = CostParts()
    """What it costs, part by part."""
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
    """Answers that failed; they score 0."""
    seeds: tuple[int, ...] = ()
    """Those it ran with."""
    trainings: Trainings | None = None
    """None: it was trained once, did not finish, or an earlier version wrote the comparison."""
    notes: tuple[str, ...] = ()
    """What else is to be known of it."""
    models: tuple[str, ...] = ()
    """What was really loaded, in words."""


class BreakEven(Conclusion):
    """Where the cheaper of two arms changes with volume."""

    first: str
    """An arm."""
    second: str
    """Another one."""
    requests: float | None
    """Requests over the horizon at which both cost the same; None if that is at no volume, or at
    several, as on machines that are always on."""
    text: str
    """In words."""
    crossings: tuple[float, ...] = ()
    """Requests a month at which the cheaper of the two changes, in ascending order."""


class CostLine(Conclusion):
    """What one arm costs at each volume of a curve."""

    strategy: str
    """The arm's name."""
    totals: tuple[float, ...]
    """One for each volume."""


class CostCurve(Conclusion):
    """Total cost over the horizon against volume, of arms whose costs are in one unit."""

    unit: Literal["usd", "s"]
    """Dollars, or our machine's seconds."""
    requests_per_month: tuple[float, ...]
    """In equal steps of their logarithm, the task's own volume in the middle."""
    lines: tuple[CostLine, ...]
    """One an arm."""


class Flip(Conclusion):
    """Something that would change the choice, verified by the same rule with it applied."""

    change: str
    """What would change, in words."""
    choice: str | None
    """The arm that would be chosen then; null: none."""
    text: str
    """In a sentence."""
    key: str | None = None
    """What is changed: a key of the task file ("limits.max_p95_ms"), "machine.usd_per_hour",
    "charge.MODEL" or "score.ARM"."""
    value: float | None = None
    """What to change it to, in its own unit; of a charge, how many times what it is; of a score, by
    how much it is higher. None for a borderline limit, which stays and is met or missed instead."""
    now: float | None = None
    """What it is, in the same unit; None: in comparisons of earlier versions."""


class Recommendation(Conclusion):
    """The verdict."""

    choice: str | None
    """The arm that is chosen, or the best for now; null: none."""
    verdict: VerdictName
    """What the rule found."""
    provisional: bool = False
    """Whether the choice holds for now only."""
    tied_with: tuple[str, ...] = ()
    """Arms that are as good as the choice."""
    headline: str
    """The verdict in one sentence for somebody who reads nothing else."""
    reasons: tuple[str, ...]
    """Why, in sentences."""
    rejected: dict[str, str] = Field({})
    """Arm to why it is not chosen."""
    unsteady: tuple[str, ...] = ()
    """Arms whose trainings differ so much that no verdict rests on them, where one would."""
    rows_needed: dict[str, int | None] = Field({})
    """Test rows that would decide about each arm on which the verdict waits; None: no number would.
    Empty in comparisons of earlier versions."""
    flips: tuple[Flip, ...] = ()
    """What would change the choice."""
    tried: tuple[str, ...] | None = None
    """Which kinds of change were tried, in words; None in comparisons that do not say it yet."""
    break_even: tuple[BreakEven, ...] = ()
    """Volumes at which the cheaper arm changes."""


class Comparison(Conclusion):
    """All that was found of one run."""

    schema_version: int = 1
    """Of this file."""
    task: dict[str, Any]
    """The task file as it was resolved."""
    machine: Machine
    """That the run began on."""
    arms: tuple[ArmResult, ...] = Field(alias="rows")
    """All arms."""
    recommendation: Recommendation
    """The verdict."""
    differences: tuple[Difference, ...] = ()
    """How each arm differs from the choice."""
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
