"""An analysis: result of each arm, verdict, what would change it, and single rows; each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from harness.analysis.arm_result import arm_result, terms_of, usage_of
from harness.analysis.cost.basis import cost_basis, cost_notes
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.cost.volume import break_evens, curve
from harness.analysis.curve.curve import learning_curve
from harness.analysis.decision import flips, wording
from harness.analysis.decision.inputs import Inputs
from harness.analysis.decision.rule import decide
from harness.analysis.decision.sensitivity import attempts
from harness.analysis.decision.steadiness import Alone
from harness.analysis.examples.row_table import RowTable, row_table
from harness.analysis.examples.rows_shown import RowsShown
from harness.analysis.findings import findings_of
from harness.analysis.report_warnings import left_out, warnings_of
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import ArmResult, Comparison, Recommendation
from harness.analysis.schema.examples import Shown
from harness.analysis.schema.scores import Gap
from harness.analysis.scoring.paired import differences, resolution
from harness.analysis.scoring.score import counted_rows, estimate
from harness.prices import MachinePrice, Prices
from harness.stats.bootstrap import bootstrap
from harness.stats.mcb import GapBounds, MultipleComparisons
from harness.store.run_folder import RunFolder

LEADING = 4
"""Arms whose costs are compared at other volumes, at the most."""
NOT_FINISHED = {
    "failed": "failed",
    "timeout": "ran out of time",
    "out_of_memory": "ran out of memory",
    "skipped": "was not run",
}
"""How an arm ended that did not finish, in words."""


@dataclass(frozen=True)
class RowsAsked:
    """Where the prompts of single rows lie, and what of such rows is shown."""

    folder: RunFolder
    shown: Shown | None = None
    """None: what the task says."""


@dataclass(frozen=True)
class Analysis:
    """A run and prices, and what follows from them, each computed once."""

    run: RunData
    """With what hosted models charge, where prices say it."""
    prices: Prices
    """The rows that apply to this run."""
    not_as_sealed: tuple[str, ...] = ()
    asked: RowsAsked | None = None
    """None: no single row is shown."""

    def comparison(self) -> Comparison:
        """Return all that was found."""
        header, terms = self.run.header, self.terms
        found = self.found
        leading = self._leading(found)
        resolved = resolution(self.run, self.arms, self.comparisons, found)
        usages = list(self.usages.values())
        return Comparison(
            task=header.task,
            machine=header.machine,
            arms=tuple(self._with_gap(arm) for arm in self.arms),
            recommendation=found.model_copy(update={"break_even": break_evens(leading, terms)}),
            differences=differences(self.run, found.choice),
            resolution=resolved,
            warnings=warnings_of(self.run, self.arms, found),
            findings=(
                *header.data_changes,
                *(finding.sentence for finding in header.data.findings),
                *(() if resolved else (said.sentence for said in header.data.expectations)),
                *self.prices.stale(datetime.fromisoformat(header.started_at).date()),
                *findings_of(self.run, self.arms, found.choice),
            ),
            audit=header.data.findings,
            examples=self.rows_shown.examples if self.rows_shown else None,
            cost_curve=curve(leading, terms),
            learning_curve=learning_curve(self.run, found.choice),
            cost_basis=cost_basis(self.prices, header.machine, terms, usages),
            run=self._provenance(),
            not_as_sealed=self.not_as_sealed,
        )

    @cached_property
    def found(self) -> Recommendation:
        """The verdict, but for its break-even points."""
        return self._recommendation()

    @cached_property
    def arms(self) -> list[ArmResult]:
        """What was found of each arm by itself."""
        return [arm_result(self.run, arm, self.terms, self.rows) for arm in self.run.arms]

    @cached_property
    def rows(self) -> RowTable:
        """What every arm that finished answered to every row."""
        return row_table(self.run)

    @cached_property
    def rows_shown(self) -> RowsShown | None:
        """What is shown of single rows; None where nobody said where their prompts lie."""
        if self.asked is None:
            return None
        choice = self.found.choice
        worst = next((arm.worst_slice for arm in self.arms if arm.strategy == choice), None)
        shown = self.asked.shown or self.run.task.report.examples
        return RowsShown(self.rows, self.asked.folder, shown, choice, worst)

    @cached_property
    def price(self) -> MachinePrice | None:
        """What the machine costs that was measured, where a row stands for it."""
        return self.prices.for_machine(self.run.header.machine)

    @cached_property
    def terms(self) -> Terms:
        """What the task says of money and traffic, at that price."""
        return terms_of(self.run, self.price.usd_per_hour if self.price else None)

    @cached_property
    def usages(self) -> dict[str, Usage]:
        """What every arm that finished takes."""
        return {arm.name: usage_of(self.run, arm) for arm in self.run.finished}

    @cached_property
    def comparisons(self) -> MultipleComparisons | None:
        """The scores of the arms that finished, with their joint resamples; None without any."""
        return self._compared(self.run.finished) if self.run.finished else None

    def _compared(self, arms: Sequence[ArmData]) -> MultipleComparisons:
        run, metric = self.run, self.run.metric
        of_arms = [run.statistics(arm, metric) for arm in arms]
        counted = counted_rows(metric, of_arms) or range(len(run.gold.ids))
        return MultipleComparisons(
            names=tuple(arm.name for arm in arms),
            estimates=np.array([estimate(metric, of_arm) for of_arm in of_arms]),
            resampled=bootstrap(metric, of_arms, run.resamples()),
            n=len(counted),
            units=run.gold.units(counted),
            metric_range=metric.highest - metric.lowest,
        )

    @cached_property
    def gaps(self) -> Mapping[str, GapBounds]:
        """How far each arm that meets every limit is below the best other one, if two do."""
        feasible = [arm.strategy for arm in self.arms if arm.status == "ok" and not arm.misses]
        compared = self.comparisons is not None and len(feasible) > 1
        return self.comparisons.gaps(feasible) if self.comparisons and compared else {}

    def _with_gap(self, arm: ArmResult) -> ArmResult:
        bounds = self.gaps.get(arm.strategy)
        if bounds is None:
            return arm
        return arm.model_copy(update={"gap_to_best": Gap(**bounds._asdict())})

    def _inputs(self, comparisons: MultipleComparisons) -> Inputs:
        scored = (arm for arm in self.arms if arm.score is not None)
        return Inputs(
            results=tuple(arm for arm in scored if arm.status == "ok"),
            usages=self.usages,
            tuned=frozenset(arm.name for arm in self.run.arms if arm.plan.tunes),
            terms=self.terms,
            limits=self.run.task.limits,
            margin=self.run.task.margin,
            comparisons=comparisons,
            highest=self.run.metric.highest,
            absent=_absent(self.arms),
            alone=tuple(self._alone()),
        )

    def _alone(self) -> Iterator[Alone]:
        """Yield each training of each unsteady arm as if it were the only one of that arm."""
        arms = self.run.finished
        for result in self.arms:
            if result.trainings is None or not result.trainings.unsteady:
                continue
            place = [arm.name for arm in arms].index(result.strategy)
            for one, training in zip(result.trainings.each, arms[place].trainings, strict=True):
                compared = self._compared([*arms[:place], training, *arms[place + 1 :]])
                yield Alone(result.strategy, one.score.value or 0.0, compared)

    def _recommendation(self) -> Recommendation:
        comparisons, absent = self.comparisons, _absent(self.arms)
        if comparisons is None:
            empty = MultipleComparisons((), np.array([]), np.zeros((0, 1)), n=1)
            nothing = decide([], empty, self.run.task.margin, absent)
            return wording.recommendation(nothing, {}, absent).model_copy(update={"tried": ()})
        inputs = self._inputs(comparisons)
        found = inputs.verdict()
        in_words = wording.recommendation(found, inputs.rows_needed(found), absent)
        reasons = [
            *in_words.reasons,
            *self._smallest_model(comparisons),
            *_doubtful(self.arms, in_words),
            *cost_notes(self.arms, in_words.choice, self.terms, self.price),
        ]
        tried = [(kind, tuple(changes)) for kind, changes in attempts(inputs, found)]
        update = {
            "headline": self._provisional(in_words.headline),
            "reasons": tuple(reasons),
            "flips": tuple(flips.flip(change) for _, changes in tried for change in changes),
            "tried": tuple(flips.tried(kind, inputs.charging) for kind, _ in tried),
        }
        return in_words.model_copy(update=update)

    def _provisional(self, headline: str) -> str:
        """Return the headline, and that a quick run's is not the last word."""
        if not (self.run.header.quick and left_out(self.run)):
            return headline
        return f"{headline} Provisional: some arms have not run yet (--quick)."

    def _leading(self, found: Recommendation) -> list[Usage]:
        """Return what the choice, its best rival and all that compete with them take, in order.

        An arm that is infeasible, or whose gap is at least the margin, competes with nobody; where
        no arm is feasible, the best of all.
        """
        scored = [arm for arm in self.arms if arm.score]
        competing = [arm for arm in scored if not arm.misses] or scored
        competing.sort(key=lambda arm: (arm.strategy != found.choice, _by_score(arm)))
        margin = self.run.task.margin
        near = [arm for arm in competing[2:] if self._least_gap(arm) <= margin]
        return [self.usages[arm.strategy] for arm in [*competing[:2], *near][:LEADING]]

    def _least_gap(self, arm: ArmResult) -> float:
        """Return how far an arm is below the best at the least; 0 where that is not known."""
        bounds = self.gaps.get(arm.strategy)
        return 0.0 if bounds is None or bounds.low is None else bounds.low

    def _smallest_model(self, comparisons: MultipleComparisons) -> Iterator[str]:
        """Say which is the smallest of several models that is good enough."""
        weights = {arm.name: _weights(arm) for arm in self.run.arms}
        sizes = self._sizes()
        if len(set(sizes.values())) < 2:
            return
        feasible = [arm.strategy for arm in self.arms if arm.score and not arm.misses]
        enough = [
            (n, name)
            for name, gap in comparisons.gaps(feasible).items()
            if (n := weights[name]) is not None and gap.high <= self.run.task.margin
        ]
        if enough:
            n, name = min(enough)
            yield f"The smallest model within the margin has {n:,} weights: {name}."
        else:
            yield "No model is within the margin yet, so none is the smallest that is good enough."

    def _sizes(self) -> dict[str | None, int]:
        """Return how many weights each model has that an arm was served with."""
        return {arm.plan.model: n for arm in self.run.arms if (n := _weights(arm))}

    def _provenance(self) -> dict[str, Any]:
        header = self.run.header
        when = {"started_at", "command", "git_commit", "packages", "criteria_sha256"}
        how = {"models", "answer_room", "device", "dtype"}
        found = header.model_dump(mode="json", include=when | how)
        sizes = self._sizes()
        for name, model in found["models"].items():
            del model["location"]  # a path of that machine, of no use on another
            model["parameters"] = sizes.get(name)
        if header.merged is not None:
            found["merged"] = [
                {"started_at": one.started_at, "command": one.command, "on": one.hardware.name}
                for one in header.merged.runs
            ]
        return found | {"data": header.data.model_dump(mode="json", exclude={"findings"})}


def _doubtful(arms: Sequence[ArmResult], found: Recommendation) -> Iterator[str]:
    """Say so where the interval of the choice, or of what it ties with, is not to be trusted."""
    weighed = {found.choice, *found.tied_with}
    for arm in arms:
        if arm.strategy in weighed and arm.score and arm.score.unreliable:
            yield f"The score of {arm.strategy} is uncertain: {arm.score.unreliable}."


def _absent(arms: Sequence[ArmResult]) -> dict[str, str]:
    """Return why each arm that did not finish takes no part."""
    return {
        arm.strategy: f"{NOT_FINISHED[arm.status]}: {arm.error or 'no reason is recorded'}"
        for arm in arms
        if arm.status != "ok"
    }


def _weights(arm: ArmData) -> int | None:
    """Return the number of weights of the model that an arm serves with, if it has one."""
    loaded = [m for trial in arm.trials if trial.serve for m in trial.serve.loaded_models]
    known = [m.parameters for m in loaded if m.parameters is not None]
    return max(known, default=None)


def _by_score(arm: ArmResult) -> float:
    """Sort by this to have the best score first."""
    return -(arm.score.value or 0.0) if arm.score else 0.0
