"""Run folder → Comparison: gather evidence, judge each arm, apply the rule, try what flips it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from harness.analysis.arm_result import build_row, usage_of, with_loss
from harness.analysis.cost import cost
from harness.analysis.cost.basis import cost_basis, cost_notes
from harness.analysis.cost.volume import break_evens, curve
from harness.analysis.decision.inputs import Bench
from harness.analysis.decision.rule import decide
from harness.analysis.decision.sensitivity import attempts
from harness.analysis.decision.verdict import Contender
from harness.analysis.findings import findings_of
from harness.analysis.run_data import ArmEvidence, Evidence, gather
from harness.analysis.schema.comparison import Comparison, Recommendation, Row
from harness.analysis.schema.scores import Loss
from harness.analysis.scoring.paired import differences
from harness.analysis.scoring.resolution import resolution
from harness.analysis.scoring.values import counted_rows, estimate, statistics
from harness.analysis.seal_check import not_as_sealed
from harness.prices import MachinePrice, Prices
from harness.stats.bootstrap import bootstrap
from harness.stats.mcb import Contest
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder

LEADING = 4
"""Arms whose costs are compared at other volumes, at the most."""


def judge(folder: RunFolder, prices: Prices | None = None) -> Comparison:
    """Judge the newest run of a folder.

    Args:
        folder: the facts.
        prices: to use in place of those that stood when it was run.
    """
    evidence = gather(folder)
    sealed = _applied(evidence.header, None)
    applied = _applied(evidence.header, prices)
    differs = not_as_sealed(folder, evidence.header, other_prices=applied != sealed)
    return Case(evidence.priced(applied), applied, tuple(differs)).comparison()


def stale_prices(folder: RunFolder, prices: Prices | None, today: date) -> Iterator[str]:
    """Say of each price that applies to the newest run that it was read more than a year ago.

    Args:
        folder: the facts.
        prices: to use in place of those that stood when it was run.
        today: which a report does not hold: the same facts and prices give the same report.
    """
    yield from _applied(folder.last_header(), prices).stale(today, "ago")


@dataclass(frozen=True)
class Case:
    """Evidence and prices, and what follows from them."""

    evidence: Evidence
    """With what hosted models charge, where prices say it."""
    prices: Prices
    """The rows that apply to this run."""
    not_as_sealed: tuple[str, ...] = ()

    def comparison(self) -> Comparison:
        """Judge everything."""
        evidence, header = self.evidence, self.evidence.header
        terms = self._terms(self._price)
        rows = [build_row(evidence, arm, terms) for arm in evidence.arms]
        contest = self._contest()
        feasible = [row.strategy for row in rows if row.status == "ok" and not row.misses]
        losses = contest.losses(feasible) if contest and len(feasible) > 1 else {}
        found = self._recommendation(rows, contest, terms)
        leading = self._leading(rows, found, losses)
        shown = resolution(evidence, rows, contest, found)
        return Comparison(
            task=header.task,
            machine=header.machine,
            rows=tuple(with_loss(row, losses.get(row.strategy)) for row in rows),
            recommendation=found.model_copy(update={"break_even": break_evens(leading, terms)}),
            differences=differences(evidence, found.choice),
            resolution=shown,
            findings=(
                *header.data.findings,
                *(() if shown else header.data.expectations),
                *self.prices.stale(datetime.fromisoformat(header.started_at).date()),
                *findings_of(evidence, rows, found.choice),
            ),
            cost_curve=curve(leading, terms),
            cost_basis=cost_basis(
                self.prices, header.machine, terms, list(self._usages().values())
            ),
            run=self._run_facts(),
            not_as_sealed=self.not_as_sealed,
        )

    @property
    def _price(self) -> MachinePrice | None:
        """What the machine costs that was measured, where a row stands for it."""
        return self.prices.for_machine(self.evidence.header.machine)

    def _terms(self, price: MachinePrice | None) -> cost.Terms:
        task = self.evidence.task
        return cost.Terms(
            usd_per_hour=price.usd_per_hour if price else None,
            traffic=task["traffic"],
            needs=task["needs"],
            labour=task["labour"],
        )

    def _contest(self) -> Contest | None:
        evidence = self.evidence
        metric = evidence.metric
        arms = [arm for arm in evidence.arms if arm.status == "ok"]
        if not arms:
            return None
        of_arms = [statistics(evidence, arm, metric) for arm in arms]
        counted = counted_rows(metric, of_arms) or range(len(evidence.truth.ids))
        return Contest(
            names=tuple(arm.name for arm in arms),
            estimates=np.array([estimate(metric, of_arm) for of_arm in of_arms]),
            resampled=bootstrap(metric, of_arms, evidence.truth.clusters),
            n=len(counted),
            units=evidence.truth.units(counted),
            metric_range=metric.highest - metric.lowest,
        )

    def _usages(self) -> dict[str, cost.Usage]:
        """Return what every arm that finished takes."""
        arms = (arm for arm in self.evidence.arms if arm.status == "ok")
        return {arm.name: usage_of(self.evidence, arm) for arm in arms}

    def _bench(self, rows: Sequence[Row], contest: Contest, terms: cost.Terms) -> Bench:
        scored = (row for row in rows if row.score is not None and row.score.value is not None)
        return Bench(
            rows=tuple(row for row in scored if row.status == "ok"),
            usages=self._usages(),
            tuned=frozenset(arm.name for arm in self.evidence.arms if arm.plan.tunes),
            terms=terms,
            limits=self.evidence.task["limits"],
            margin=self.evidence.task["margin"],
            contest=contest,
            highest=self.evidence.metric.highest,
            absent=_absent(rows),
        )

    def _recommendation(
        self, rows: Sequence[Row], contest: Contest | None, terms: cost.Terms
    ) -> Recommendation:
        margin = self.evidence.task["margin"]
        if contest is None:
            empty = Contest((), np.array([]), np.zeros((0, 1)), n=1)
            return decide([], empty, margin, _absent(rows)).model_copy(update={"tried": ()})
        bench = self._bench(rows, contest, terms)
        found = bench.ruling()
        reasons = [*found.reasons, *self._smallest_model(contest, bench.contenders(), margin)]
        reasons += _doubtful(rows, found)
        reasons += cost_notes(rows, found.choice, terms, self._price)
        tried = [(words, tuple(flips)) for words, flips in attempts(bench, found)]
        changes = {
            "reasons": tuple(reasons),
            "flips": tuple(flip for _, flips in tried for flip in flips),
            "tried": tuple(words for words, _ in tried),
        }
        return found.model_copy(update=changes)

    def _leading(
        self, rows: Sequence[Row], found: Recommendation, losses: Mapping[str, Loss]
    ) -> list[cost.Usage]:
        """Return what the choice, its best rival and all that compete with them take, in order.

        Who is infeasible, or shown to lose more than the margin, competes with nobody; where no
        arm is feasible, the best of all.
        """
        scored = [row for row in rows if row.score]
        competing = [row for row in scored if not row.misses] or scored
        competing.sort(key=lambda row: (row.strategy != found.choice, _by_score(row)))
        margin = self.evidence.task["margin"]
        near = [row for row in competing[2:] if _least_loss(losses, row) <= margin]
        usages = self._usages()
        return [usages[row.strategy] for row in [*competing[:2], *near][:LEADING]]

    def _smallest_model(
        self, contest: Contest, contenders: Sequence[Contender], margin: float
    ) -> Iterator[str]:
        """Say which is the smallest of several models that is shown to be good enough."""
        weights = {arm.name: _weights(arm) for arm in self.evidence.arms}
        sizes = {arm.plan.model: n for arm in self.evidence.arms if (n := weights[arm.name])}
        if len(set(sizes.values())) < 2:
            return
        losses = contest.losses([c.name for c in contenders if c.feasible])
        enough = [
            (n, name)
            for name, loss in losses.items()
            if (n := weights[name]) is not None and loss.high is not None and loss.high <= margin
        ]
        if enough:
            n, name = min(enough)
            yield (f"The smallest model that is shown to be good enough has {n:,} weights: {name}.")
        else:
            yield "No model is shown to be good enough yet, so none is the smallest that is."

    def _run_facts(self) -> dict[str, Any]:
        header = self.evidence.header
        keys = ("started_at", "command", "git_commit", "packages", "criteria_sha256")
        facts = header.model_dump(mode="json", include=set(keys) | {"models", "device", "dtype"})
        for model in facts["models"].values():
            del model["location"]  # a path of that machine, of no use on another
        return facts | {"data": header.data.model_dump(mode="json", exclude={"findings"})}


def _applied(header: RunHeader, prices: Prices | None) -> Prices:
    """Return the rows that apply to a run, of these or else of those that stood when it was run."""
    if prices is None:
        prices = Prices.model_validate(header.prices or {})
    return prices.used(header.machine, header.models.values())


def _doubtful(rows: Sequence[Row], found: Recommendation) -> Iterator[str]:
    """Say so where the interval of the choice, or of what it ties with, is not to be trusted."""
    weighed = {found.choice, *found.tied_with}
    for row in rows:
        if row.strategy in weighed and row.score and row.score.unreliable:
            yield f"A doubt about {row.strategy}: {row.score.unreliable}."


def _absent(rows: Sequence[Row]) -> dict[str, str]:
    """Return why each arm that did not finish is no contender."""
    how = {
        "failed": "failed",
        "timeout": "ran out of time",
        "out_of_memory": "ran out of memory",
        "skipped": "was not run",
    }
    return {
        row.strategy: f"{how[row.status]}: {row.error or 'no reason is recorded'}"
        for row in rows
        if row.status != "ok"
    }


def _weights(arm: ArmEvidence) -> int | None:
    """Return the number of weights of the model that an arm serves with, if it has one."""
    loaded = [m for trial in arm.trials if trial.serve for m in trial.serve.loaded_models]
    known = [m.parameters for m in loaded if m.parameters is not None]
    return max(known, default=None)


def _least_loss(losses: Mapping[str, Loss], row: Row) -> float:
    """Return what an arm is shown to lose to the best at the least; 0 where that is not known."""
    loss = losses.get(row.strategy)
    return 0.0 if loss is None or loss.low is None else loss.low


def _by_score(row: Row) -> float:
    """Sort by this to have the best score first."""
    return -(row.score.value or 0.0) if row.score else 0.0
