"""All that the rule is given for one verdict, and the same with one value changed.

From the arms' results and the task's terms to the figures that the rule decides on. Knows no
sentence, and not where to look for changes (sensitivity.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.analysis.cost.components import Unit
from harness.analysis.cost.cost import common_unit, costs_of, usd_per_1k
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.decision.requirements import state_of
from harness.analysis.decision.rule import decide
from harness.analysis.decision.steadiness import Alone, differs, held_back
from harness.analysis.decision.verdict import ArmFigures, Verdict
from harness.analysis.recorded_task import Limits
from harness.analysis.schema.comparison import ArmResult, Check
from harness.stats.mcb import MultipleComparisons
from harness.wording import numbers


@dataclass(frozen=True)
class Inputs:
    """Arms that finished, what they took, and the terms on which they are compared."""

    results: tuple[ArmResult, ...]
    """Those with a score."""
    usages: Mapping[str, Usage]
    tuned: frozenset[str]
    """Arms that serve a pretrained model's weights that were tuned for the task."""
    terms: Terms
    limits: Limits
    margin: float
    comparisons: MultipleComparisons
    highest: float = 1.0
    """What the metric can reach."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Why each other arm of the task did not finish."""
    raised: Mapping[str, float] = field(default_factory=dict)
    """By how much some arm's score is taken to be higher than measured."""
    alone: tuple[Alone, ...] = ()
    """Each training of each unsteady arm."""
    scored: Mapping[str, float] = field(default_factory=dict)
    """What some arm is taken to score in place of the mean of its trainings."""
    turned: tuple[tuple[str, Check], ...] = ()
    """Checks of some arms that are taken to be as they are here."""

    def verdict(self) -> Verdict:
        """Apply the rule, and let no verdict rest on an arm that is unsteady."""
        found = self._by_rule()
        if found.choice is None:
            return found
        leant_on = dict.fromkeys(
            one.arm for one in self.alone if differs(found, self._with(one)._by_rule())
        )
        results = {result.strategy: result for result in self.results}
        unsteady = [(name, each) for name in leant_on if (each := results[name].trainings)]
        return held_back(found, unsteady)

    def _by_rule(self) -> Verdict:
        return decide(self.arms(), self.comparisons, self.margin, self.absent)

    def _with(self, one: Alone) -> Inputs:
        """Return the same with one training of an arm as the only one."""
        return replace(self, comparisons=one.comparisons, scored={one.arm: one.score}, alone=())

    def rows_needed(self, found: Verdict) -> dict[str, int | None]:
        """Return how many test rows would decide about each undecided arm; None: no number."""
        decide_about = self.comparisons.items_to_decide
        return {name: decide_about(found.competing, name, self.margin) for name in found.undecided}

    def arms(self) -> list[ArmFigures]:
        """Return what the rule needs to know of each arm."""
        unit = self.unit
        return [self._figures(result, unit) for result in self.results]

    @property
    def unit(self) -> Unit:
        """The unit in which costs are compared."""
        return common_unit(list(self.usages.values()), self.terms)

    @property
    def charging(self) -> list[str]:
        """Who charges for requests: hosted models, or arms with somebody else's answers."""
        return sorted({u.charged_by for u in self.usages.values() if u.charged_by is not None})

    def with_limit(self, key: str, value: float) -> Inputs:
        """Return the same with another limit."""
        return replace(self, limits=self.limits.model_copy(update={key: value}))

    def with_volume(self, requests_per_month: float) -> Inputs:
        """Return the same at another traffic."""
        return replace(self, terms=self.terms.at_volume(requests_per_month))

    def with_machine_price(self, usd_per_hour: float) -> Inputs:
        """Return the same on a machine of another price."""
        return replace(self, terms=replace(self.terms, usd_per_hour=usd_per_hour))

    def with_label_price(self, usd_per_label: float) -> Inputs:
        """Return the same with labels of another price."""
        labour = {**self.terms.labour, "usd_per_label": usd_per_label}
        return replace(self, terms=replace(self.terms, labour=labour))

    def with_charges(self, model: str, times: float) -> Inputs:
        """Return the same with a hosted model that charges so many times as much."""

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

    def with_raised(self, arm: str, by: float) -> Inputs:
        """Return the same with one arm that scored that much more, with all its trainings."""
        alone = tuple(one.shifted(arm, by) for one in self.alone)
        comparisons = self.comparisons.shifted(arm, by)
        return replace(self, comparisons=comparisons, raised={arm: by}, alone=alone)

    def with_turned(self, arm: str, check: Check) -> Inputs:
        """Return the same with a check of an arm that fell the other way."""
        return replace(self, turned=((arm, check),))

    def score(self, result: ArmResult) -> float:
        """Return an arm's score, as it is taken to be."""
        assert result.score is not None
        value = self.scored.get(result.strategy, result.score.value or 0.0)
        return value + self.raised.get(result.strategy, 0.0)

    def measured(self, result: ArmResult, key: str) -> float | None:
        """Return the figure that one of the limits is about, in the limit's own unit.

        None where nobody knows it, and where it is of another class of machine than the run's.
        """
        if result.not_compared and key in result.not_compared.limits:
            return None
        if key == "min_score":
            return self.score(result)
        if key == "max_p95_ms":
            return None if result.p95_s is None else 1000 * result.p95_s
        if key == "max_usd_per_1k":
            return usd_per_1k(self.usages[result.strategy], self.terms)
        taken = {
            "max_serve_memory_gib": result.predict_peak_bytes,
            "max_fit_memory_gib": result.fit_peak_bytes,
        }[key]
        return None if taken is None else taken / numbers.GIB

    def _figures(self, result: ArmResult, unit: Unit) -> ArmFigures:
        costs = costs_of(self.usages[result.strategy], self.terms)
        money, machine_s = costs.total("usd"), costs.total("s")
        limits = dict(self.limits.are_set())
        return ArmFigures(
            name=result.strategy,
            score=self.score(result),
            complexity=result.complexity,
            checks=tuple(self._checked(result, check, limits) for check in result.checks),
            cost=costs.compared(unit),
            total_usd=money,
            machine_s=machine_s,
            tuned=result.strategy in self.tuned,
            lost_share=_lost_share(result),
        )

    def _checked(self, result: ArmResult, check: Check, limits: Mapping[str, float]) -> Check:
        """Return a check of a limit as it stands on these terms; others stay."""
        for arm, turned in self.turned:
            if (arm, turned.key) == (result.strategy, check.key):
                return turned
        part, key = check.key.split(".", 1)
        if part != "limits":
            return check
        state = state_of(key, limits[key], self.measured(result, key))
        return check if state == check.state else check.model_copy(update={"state": state})


def _lost_share(result: ArmResult) -> float | None:
    """Return the share of an arm's answers that say nothing which could be right."""
    counts = result.answers
    return counts.lost / counts.n if counts is not None and counts.n else None
