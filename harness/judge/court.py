"""Run folder → Comparison: gather evidence, judge each arm, apply the rule, try what flips it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness import numbers
from harness.judge import cost
from harness.judge.basis import cost_basis
from harness.judge.comparison import BreakEven, Comparison, Flip, Recommendation, Row
from harness.judge.contest import Contest
from harness.judge.evidence import ArmEvidence, Evidence, gather
from harness.judge.resample import bootstrap
from harness.judge.rows import build_row, usage_of, with_loss
from harness.judge.scoring import counted_rows, differences, estimate, statistics
from harness.judge.verdict import EQUAL_COST, Contender, decide
from harness.prices import MachinePrice, Prices
from harness.runfolder import RunFolder

LEADING = 3
"""Other arms that the choice is compared with for break-even."""


def judge(folder: RunFolder, prices: Prices | None = None) -> Comparison:
    """Judge the newest run of a folder.

    Args:
        folder: the facts.
        prices: to use in place of those that stood when it was run.
    """
    return Case(gather(folder), prices).comparison()


@dataclass(frozen=True)
class Case:
    """Evidence and prices, and what follows from them."""

    evidence: Evidence
    given_prices: Prices | None

    def comparison(self) -> Comparison:
        """Judge everything."""
        evidence, header = self.evidence, self.evidence.header
        terms = self._terms(self._price())
        rows = [build_row(evidence, arm, terms) for arm in evidence.arms]
        contest = self._contest()
        feasible = [row.strategy for row in rows if row.status == "ok" and not row.misses]
        losses = contest.losses(feasible) if contest and len(feasible) > 1 else {}
        found = self._recommendation(rows, contest, terms)
        return Comparison(
            task=header.task,
            machine=header.machine,
            rows=tuple(with_loss(row, losses.get(row.strategy)) for row in rows),
            recommendation=found,
            differences=differences(evidence, found.choice),
            findings=(*header.data.findings, *self._measurement_findings(rows)),
            cost_basis=cost_basis(self._price(), terms, list(self._usages().values())),
            run=self._run_facts(),
        )

    def _price(self) -> MachinePrice | None:
        header = self.evidence.header
        prices = self.given_prices
        if prices is None and header.prices is not None:
            prices = Prices.model_validate(header.prices)
        return prices.for_machine(header.machine) if prices else None

    def _terms(self, price: MachinePrice | None) -> cost.Terms:
        task, data = self.evidence.task, self.evidence.header.data
        return cost.Terms(
            usd_per_hour=price.usd_per_hour if price else None,
            labels_n=data.train_n + data.validation_n,
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

    def _contenders(self, rows: Sequence[Row], terms: cost.Terms) -> list[Contender]:
        arms = {arm.name: arm for arm in self.evidence.arms}
        contenders = []
        usages = self._usages()
        unit = cost.common_unit(list(usages.values()), terms)
        for row in rows:
            if row.status != "ok" or row.score is None or row.score.value is None:
                continue
            usage = usages[row.strategy]
            parts = cost.cost_of(usage, terms)
            money = cost.total_usd(parts, terms)
            comparable = money if unit == "usd" else parts.machine_s
            contenders.append(
                Contender(
                    name=row.strategy,
                    score=row.score.value,
                    complexity=row.complexity,
                    checks=row.checks,
                    cost=comparable,
                    tuned=arms[row.strategy].plan.needs_model
                    and arms[row.strategy].plan.learns == "weights",
                    cost_text=_cost_text(money, parts.machine_s),
                )
            )
        return contenders

    def _recommendation(
        self, rows: Sequence[Row], contest: Contest | None, terms: cost.Terms
    ) -> Recommendation:
        contenders = self._contenders(rows, terms)
        margin = self.evidence.task["margin"]
        if contest is None:
            empty = Contest((), np.array([]), np.zeros((0, 1)), n=1)
            return decide([], empty, margin)
        found = decide(contenders, contest, margin)
        flips = (
            *_borderline_flips(contenders, contest, margin),
            *_margin_flips(contenders, contest, margin, found),
            *self._volume_flips(rows, contest, terms, found),
        )
        pairs = self._break_even(rows, found, terms)
        reasons = (*found.reasons, *self._smallest_model(contest, contenders, margin))
        return found.model_copy(update={"flips": flips, "break_even": pairs, "reasons": reasons})

    def _smallest_model(
        self, contest: Contest, contenders: Sequence[Contender], margin: float
    ) -> Iterator[str]:
        """Say which is the smallest of several models that is shown to be good enough."""
        weights = {arm.name: _weights(arm) for arm in self.evidence.arms}
        if len({n for n in weights.values() if n is not None}) < 2:
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

    def _volume_flips(
        self, rows: Sequence[Row], contest: Contest, terms: cost.Terms, found: Recommendation
    ) -> list[Flip]:
        """Try a hundredth and a hundred times the traffic, and half and double."""
        flips = []
        for factor in (0.01, 0.5, 2, 100):
            if not terms.traffic:
                break
            volume = terms.traffic["requests_per_month"] * factor
            other = replace(terms, traffic={**terms.traffic, "requests_per_month": volume})
            again = decide(self._contenders(rows, other), contest, self.evidence.task["margin"])
            if again.choice != found.choice:
                change = f"{numbers.count(volume)} requests a month"
                flips.append(_flip(change, again))
        return flips

    def _break_even(
        self, rows: Sequence[Row], found: Recommendation, terms: cost.Terms
    ) -> tuple[BreakEven, ...]:
        """Compare the choice with the best-scoring other arms, under busy time."""
        if found.choice is None or not terms.traffic:
            return ()
        usages = self._usages()
        others = [row for row in rows if row.score and row.strategy != found.choice]
        others.sort(key=_by_score)
        chosen = usages[found.choice]
        unit = cost.unit(chosen, terms)
        leading = [usages[row.strategy] for row in others[:LEADING]]
        comparable = [usage for usage in leading if unit and cost.unit(usage, terms) == unit]
        return tuple(_pair(chosen, usage, terms) for usage in comparable)

    def _measurement_findings(self, rows: Sequence[Row]) -> list[str]:
        header = self.evidence.header
        found = []
        for row in rows:
            if row.score and row.score.unreliable:
                found.append(row.score.unreliable)
            if row.failed_items:
                found.append(f"{row.failed_items} answers of {row.strategy} failed and score zero")
        loads = [
            half.load_average or 0.0
            for arm in self.evidence.arms
            for trial in arm.trials
            for half in (trial.fit, trial.serve)
            if half
        ]
        # A trial's own threads keep the average near the number of cores; well above is company.
        if loads and max(loads) > 1.5 * header.machine.cores + 0.5:
            found.append(
                f"the machine was busy with other work (load average up to {max(loads):.1f} on"
                f" {header.machine.cores} cores): times may be too long"
            )
        return list(dict.fromkeys(found))

    def _run_facts(self) -> dict[str, Any]:
        header = self.evidence.header
        keys = ("started_at", "command", "git_commit", "packages", "criteria_sha256")
        facts = header.model_dump(mode="json", include=set(keys) | {"models", "device", "dtype"})
        for model in facts["models"].values():
            del model["location"]  # a path of that machine, of no use on another
        return facts | {"data": header.data.model_dump(mode="json", exclude={"findings"})}


def _weights(arm: ArmEvidence) -> int | None:
    """Return the number of weights of the model that an arm serves with, if it has one."""
    loaded = [m for trial in arm.trials if trial.serve for m in trial.serve.loaded_models]
    known = [m.parameters for m in loaded if m.parameters is not None]
    return max(known, default=None)


def _by_score(row: Row) -> float:
    """Sort by this to have the best score first."""
    return -(row.score.value or 0.0) if row.score else 0.0


def _borderline_flips(
    contenders: Sequence[Contender], contest: Contest, margin: float
) -> list[Flip]:
    """Let each limit that lies inside a measurement's interval fall the other way."""
    flips = []
    for contender in contenders:
        for check in contender.checks:
            if not check.borderline:
                continue
            other = check.model_copy(update={"state": "missed" if check.state == "met" else "met"})
            checks = tuple(other if c is check else c for c in contender.checks)
            turned = [replace(c, checks=checks) if c is contender else c for c in contenders]
            again = decide(turned, contest, margin)
            words = f"{contender.name}: {check.text}, which is within the measurement's error"
            flips.append(_flip(f"{words} and may fall the other way", again))
    return flips


def _margin_flips(
    contenders: Sequence[Contender], contest: Contest, margin: float, found: Recommendation
) -> list[Flip]:
    """Find the nearest smaller and larger margin at which another arm is chosen."""
    feasible = [c.name for c in contenders if c.feasible]
    if len(feasible) < 2:
        return []
    bounds: Mapping[str, Any] = contest.losses(feasible)
    steps = sorted(
        {0.0, *(loss.high + sign * 1e-6 for loss in bounds.values() for sign in (-1, 1))}
    )
    flips = []
    for side in (
        [step for step in reversed(steps) if 0 <= step < margin],
        [step for step in steps if margin < step < 1],  # 1 and more no task may accept
    ):
        for step in side:
            again = decide(contenders, contest, step)
            if again.choice != found.choice:
                words = "below" if step < margin else "above"
                edge = f"a margin {words} {numbers.points(step)}"
                flips.append(_flip(edge, again))
                break
    return flips


def _flip(change: str, again: Recommendation) -> Flip:
    choice = again.choice or "nothing"
    how = " (provisionally)" if again.provisional else ""
    return Flip(change=change, choice=again.choice, text=f"With {change}: {choice}{how}.")


def _cost_text(money: float | None, machine_s: float | None) -> str:
    if money is not None:
        return numbers.usd(money)
    if machine_s is None:
        return "a cost that is not known"
    return f"{numbers.duration(machine_s)} of machine time"


def _pair(chosen: cost.Usage, other: cost.Usage, terms: cost.Terms) -> BreakEven:
    fixed = [cost.fixed_cost(usage, terms) for usage in (chosen, other)]
    each = [cost.cost_per_request(usage, terms) for usage in (chosen, other)]
    totals = [f + terms.requests * c for f, c in zip(fixed, each, strict=True)]
    requests = cost.break_even_requests(chosen, other, terms)
    if max(totals) <= min(totals) * EQUAL_COST:
        text = f"cost does not decide between {chosen.arm} and {other.arm} at this volume"
    elif requests is None:
        cheaper = chosen.arm if totals[0] < totals[1] else other.arm
        text = f"{cheaper} is cheaper at any volume"
    else:
        below = chosen.arm if fixed[0] < fixed[1] else other.arm
        above = other.arm if below == chosen.arm else chosen.arm
        text = (
            f"below {numbers.count(requests)} requests over the horizon {below} is cheaper,"
            f" above it {above}"
        )
    return BreakEven(first=chosen.arm, second=other.arm, requests=requests, text=text)
