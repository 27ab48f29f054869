"""What the run of a cut came to, kept as a small file of the repository.

A run folder stays on the machine that made it; these files outlive it, so that the page is drawn
from all cuts whichever machine ran them, and when. Knows nothing of what papers report.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from harness.analysis import Comparison, LearningCurve, analyse
from harness.analysis.read_run import read_run
from harness.analysis.scoring.paired import differences
from harness.store.records import Status
from harness.store.run_folder import RunFolder

KEPT = Path(__file__).parent / "found"
Kind = TypeVar("Kind", bound=BaseModel)


class _Finding(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Finding):
    """A figure with its 95 % interval."""

    value: float
    ci_low: float
    ci_high: float


class Arm(_Finding):
    """How well an arm of a cut did, and what it took."""

    name: str
    status: Status
    error: str | None = None
    score: Value | None = None
    fit_peak_bytes: int | None = None
    predict_peak_bytes: int | None = None
    artifact_bytes: int | None = None


class Model(_Finding):
    """A model as it was loaded, in words, and the first arm that used it."""

    arm: str
    loaded: str


class Findings(_Finding):
    """What one cut came to."""

    started_on: str
    """Date of its last run: arms may have finished in an earlier one."""
    git_commit: str | None
    machine: str
    headline: str
    metric: str
    arms: tuple[Arm, ...]
    models: tuple[Model, ...]
    differences: dict[str, dict[str, Value]]
    """Arm to other arm to how the other's score differs from it, on the same items."""
    chosen: dict[str, str] = {}
    """A peer to what it chose on validation rows, in words."""

    @property
    def finished(self) -> frozenset[str]:
        """Names of the arms that have a score."""
        return frozenset(arm.name for arm in self.arms if arm.score is not None)


class Curve(_Finding):
    """What arms of a task scored on fewer labels."""

    started_on: str
    """Date of its last run: points may have been measured in an earlier one."""
    git_commit: str | None
    machine: str
    curve: LearningCurve

    @property
    def finished(self) -> frozenset[str]:
        """The points that have a score."""
        return frozenset(
            f"{line.strategy} with {point.labels_n} labels"
            for line in self.curve.lines
            for point in line.points
        )


def found_in(folder: RunFolder, beside: Collection[str]) -> Findings:
    """Judge a run folder and return what its cut came to.

    Args:
        folder: of a run that has begun.
        beside: the arms that others are held against; those that did not finish are left out.
    """
    comparison, evidence = analyse(folder), read_run(folder)
    arms = tuple(
        Arm(
            name=row.strategy,
            status=row.status,
            error=row.error,
            score=_value(row.score) if row.score and row.score.value is not None else None,
            fit_peak_bytes=row.fit_peak_bytes,
            predict_peak_bytes=row.predict_peak_bytes,
            artifact_bytes=row.artifact_bytes,
        )
        for row in comparison.arms
    )
    loaded = {text: row.strategy for row in reversed(comparison.arms) for text in row.models}
    pairs = {
        name: {other.strategy: _value(other) for other in differences(evidence, name)}
        for name in sorted(beside)
    }
    return Findings(
        started_on=comparison.run["started_at"][:10],
        git_commit=comparison.run["git_commit"],
        machine=_machine(comparison),
        headline=comparison.recommendation.headline,
        metric=comparison.task["metric"],
        arms=arms,
        models=tuple(Model(arm=arm, loaded=text) for text, arm in reversed(loaded.items())),
        differences={name: others for name, others in pairs.items() if others},
    )


def curve_in(folder: RunFolder) -> Curve | None:
    """Judge a run folder and return its learning curve; None: it has none."""
    comparison = analyse(folder)
    if comparison.learning_curve is None:
        return None
    return Curve(
        started_on=comparison.run["started_at"][:10],
        git_commit=comparison.run["git_commit"],
        machine=_machine(comparison),
        curve=comparison.learning_curve,
    )


def _machine(comparison: Comparison) -> str:
    """Return what a run was measured on, in words."""
    machine = comparison.machine
    cores = f"{machine.cores} core{'s' * (machine.cores > 1)} of {machine.cpu_model}"
    return f"{cores} with {machine.gpu}" if machine.gpu else cores


def _value(figure: object) -> Value:
    """Return a score or a difference as a figure with its interval."""
    return Value.model_validate({key: getattr(figure, key) for key in Value.model_fields})


def keep(name: str, findings: Findings | Curve, root: Path = KEPT) -> tuple[str, ...]:
    """Write what a cut came to in the place of what it came to before, unless that is more.

    Returns:
        The arms, or points, that had finished before and have not now: with any, nothing is
        written.
    """
    before = _read(type(findings), (name,), root).get(name)
    lost = tuple(sorted(before.finished - findings.finished)) if before else ()
    if not lost:
        file = root / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(findings.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return lost


def kept(names: Collection[str], root: Path = KEPT) -> Mapping[str, Findings]:
    """Read what cuts came to, in the order of the names; those that never ran are left out."""
    return _read(Findings, names, root)


def kept_curves(names: Collection[str], root: Path = KEPT) -> Mapping[str, Curve]:
    """Read learning curves, likewise."""
    return _read(Curve, names, root / "curves")


def _read(kind: type[Kind], names: Collection[str], root: Path) -> Mapping[str, Kind]:
    files = {name: root / f"{name}.json" for name in names}
    return {
        name: kind.model_validate_json(path.read_text(encoding="utf-8"))
        for name, path in files.items()
        if path.is_file()
    }
