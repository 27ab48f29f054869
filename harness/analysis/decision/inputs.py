"""All that the rule is given for one judgement, so that a part of it can be changed and tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.analysis.cost import cost
from harness.analysis.decision.requirements import GIB, state_of
from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import Contender
from harness.analysis.schema.comparison import Check, Recommendation, Row
from harness.stats.mcb import Contest
from harness.wording import numbers


@dataclass(frozen=True)
class Bench:
    """Arms that finished, what they took, and the terms on which they compete."""

    rows: tuple[Row, ...]
    """Those with a score."""
    usages: Mapping[str, cost.Usage]
    tuned: frozenset[str]
    """Arms that serve a pretrained model's weights which were tuned for the task."""
    terms: cost.Terms
    limits: Mapping[str, Any]
    """The task's `limits`."""
    margin: float
    contest: Contest
    highest: float = 1.0
    """What the metric can reach."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Why each other arm of the task did not finish."""
    raised: Mapping[str, float] = field(default_factory=dict)
    """By how much some arm's score is taken to be higher than measured."""

    def ruling(self) -> Recommendation:
        """Apply the rule."""
        return decide(self.contenders(), self.contest, self.margin, self.absent)

    def contenders(self) -> list[Contender]:
        """Return what the rule needs to know of each arm."""
        unit = self.unit
        return [self._contender(row, unit) for row in self.rows]

    @property
    def unit(self) -> str:
        """The unit in which costs are compared."""
        return cost.common_unit(list(self.usages.values()), self.terms)

    def with_limit(self, key: str, value: float) -> Bench:
        """Return the bench with another limit."""
        return replace(self, limits={**self.limits, key: value})

    @property
    def charging(self) -> list[str]:
        """Who charges for requests: hosted models, or arms with answers of somebody else's."""
        return sorted({u.charged_by for u in self.usages.values() if u.charged_by is not None})

    def with_charges(self, model: str, times: float) -> Bench:
        """Return the bench as it would be, did a hosted model charge so many times as much."""

        def scaled(usd: float | None) -> float | None:
            return None if usd is None else usd * times

        usages = {
            arm: replace(
                usage,
                usd_per_request=scaled(usage.usd_per_request),
                fit_charged_usd=scaled(usage.fit_charged_usd),
            )
            if usage.charged_by == model
            else usage
            for arm, usage in self.usages.items()
        }
        return replace(self, usages=usages)

    def with_raised(self, arm: str, by: float) -> Bench:
        """Return the bench as it would be, had one arm scored that much more."""
        return replace(self, contest=self.contest.shifted(arm, by), raised={arm: by})

    def score(self, row: Row) -> float:
        """Return an arm's score, as it is taken to be."""
        assert row.score is not None
        return (row.score.value or 0.0) + self.raised.get(row.strategy, 0.0)

    def measured(self, row: Row, key: str) -> float | None:
        """Return what one of the `limits` is held against, in the limit's own unit."""
        if key == "min_score":
            return self.score(row)
        if key == "max_p95_ms":
            return None if row.p95_s is None else 1000 * row.p95_s
        if key == "max_usd_per_1k":
            return cost.usd_per_1k(self.usages[row.strategy], self.terms)
        taken = {
            "max_serve_memory_gib": row.predict_peak_bytes,
            "max_fit_memory_gib": row.fit_peak_bytes,
        }[key]
        return None if taken is None else taken / GIB

    def _contender(self, row: Row, unit: str) -> Contender:
        parts = cost.cost_of(self.usages[row.strategy], self.terms)
        money = cost.total_usd(parts, self.terms)
        return Contender(
            name=row.strategy,
            score=self.score(row),
            complexity=row.complexity,
            checks=tuple(self._checked(row, check) for check in row.checks),
            cost=money if unit == "usd" else parts.machine_s,
            tuned=row.strategy in self.tuned,
            cost_text=_cost_text(money, parts.machine_s),
        )

    def _checked(self, row: Row, check: Check) -> Check:
        """Return a check of a limit as it stands on these terms; others stay."""
        part, key = check.key.split(".", 1)
        if part != "limits":
            return check
        state = state_of(key, self.limits[key], self.measured(row, key))
        return check if state == check.state else check.model_copy(update={"state": state})


def _cost_text(money: float | None, machine_s: float | None) -> str:
    if money is not None:
        return numbers.usd(money)
    if machine_s is None:
        return "a cost that is not known"
    return f"{numbers.duration(machine_s)} of machine time"
