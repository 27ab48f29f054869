"""Chooses an arm's parameters on validation rows, inside its own fit: so it counts as preparation.

The defaults are the first trial. Candidates of an arm that trains no weights race: all answer a few
rows, the best third some more, the best of these all (successive halving: Jamieson and Talwalkar
2016, AISTATS 51, 240). The defaults stay unless the best leads them, paired, by more than one
standard error. Knows nothing of how parameters are proposed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

from harness.errors import StrategyError
from harness.metrics.custom import find_metric
from harness.run.job import SearchPlan
from harness.run.worker.bench import Bench
from harness.run.worker.candidate import Candidate, Cost
from harness.run.worker.context import Outfit
from harness.run.worker.measure import Ruler
from harness.run.worker.proposals import Proposer
from harness.search_space import without
from harness.stats.choosing import Lead, paired_lead
from harness.store.search_record import Ended, SearchRecord, read_search, write_search
from harness.types import RESUMED_S, Example, Split

RUNGS = (16, 48)
"""Validation rows after which only the best third of racing candidates goes on (ARMS: three rungs
of about three times the rows each). A choice of ours."""
KEPT = 3
"""One of so many goes on."""
WORDS = {"trials": "trials", "minutes": "minutes", "usd": "dollars"}


class Search:
    """The search of one fit.

    Args:
        outfit: of the job that has a plan for it.
        plan: what may be tried and spent.
        train: rows to learn from.
        validation: rows to choose on.
    """

    def __init__(self, outfit: Outfit, plan: SearchPlan, train: Split, validation: Split) -> None:
        self.outfit, self.plan, self.validation = outfit, plan, validation
        self.metric = find_metric(outfit.job.metric, outfit.base)
        rows = in_order(validation, plan.most_rows, outfit.job.seed)
        self.bench = Bench(outfit, train, validation, rows)
        self.proposer = self._proposer({})
        self.all_rows = len(rows)
        few = [n for n in RUNGS if plan.races and n < len(rows)]
        self.rungs = [*few, len(rows)]
        self.candidates = [Candidate(0, "default", {})]
        self.ended: Ended = "trials"

    def run(self) -> None:
        """Try, choose, make the chosen artifact the arm's and write down what was tried.

        Raises:
            StrategyError: every candidate failed; with the error of the defaults.
        """
        default = self.candidates[0]
        self.bench.prepare(default)
        if self._may_go_on(default):
            self._propose()
            self._race()
        taken, lead = self._taken()
        self.bench.adopt(taken)
        record = self._record(taken, lead)
        write_search(self.outfit.workspace.folder, record)
        self.outfit.note("effort", record.why)
        if self.bench.resumed_s:  # for the ruler: what earlier attempts at this fit had done
            (self.bench.folder / RESUMED_S).write_text(f"{self.bench.resumed_s}\n")

    def _may_go_on(self, default: Candidate) -> bool:
        """Tell whether the effort has room for more than the defaults; have these answer if so.

        They answer the first rung, by which it is known what the other rows and a candidate take:
        money must not be spent on knowing what cannot be compared with anything.
        """
        if self.plan.trials == 1:
            return False
        if default.error is not None:
            return self._affords(Cost())
        if not self._affords(Cost.of(default)):
            return False
        self.bench.answer(default, self.rungs[0])
        rest = Cost.of_rows(default, self.all_rows - self.rungs[0])
        if not self._affords(rest + self._one_more()):
            return False
        self.bench.answer(default, self.all_rows)
        self.proposer = self._proposer(default.equivalents)
        self.proposer.tell({}, self._score(default, self.rungs[0]))
        return True

    def _proposer(self, equivalents: Mapping[str, Sequence[Any]]) -> Proposer:
        space = without(self.plan.space, equivalents)
        return Proposer(space, self.outfit.job.seed, self.bench.accepts)

    def _propose(self) -> None:
        """Try candidates on the first rung until the effort, less what is still to do, is used."""
        first = self.rungs[0]
        while len(self.candidates) < self.plan.trials:
            if not self._affords(self._one_more()):
                return
            proposal = self.proposer.next()
            if proposal is None:
                self.ended = "space"
                return
            candidate = Candidate(len(self.candidates), *proposal)
            self.candidates.append(candidate)
            self.bench.prepare(candidate)
            self.bench.answer(candidate, first)
            self.proposer.tell(candidate.changed, self._score(candidate, first))
            if len(self.rungs) == 1:
                self._drop_the_beaten()

    def _race(self) -> None:
        """Have the best of each rung answer the rows of the next one."""
        for rung, upto in zip(self.rungs, self.rungs[1:], strict=False):
            there = [one for one in self.candidates[1:] if one.error is None and one.rows == rung]
            there.sort(key=lambda one: -(self._score(one) or 0.0))  # stable: the earlier of equals
            going_on = there[: ceil(len(there) / KEPT)]
            for one in there[len(going_on) :]:
                self.bench.drop(one)
            for one in going_on:
                self.bench.answer(one, upto)

    def _drop_the_beaten(self) -> None:
        """Keep the artifacts of the defaults and of the best so far alone: models take room."""
        whole = [one for one in self.candidates if one.error is None and one.rows]
        best = max(whole, key=lambda one: self._score(one) or 0.0, default=None)
        for one in self.candidates[1:]:
            if one is not best:
                self.bench.drop(one)

    def _one_more(self) -> Cost:
        """Return what one more candidate is expected to take, with all that then must follow."""
        tried = [one for one in self.candidates if one.error is None] or self.candidates
        each = Cost.mean([Cost.of(one, self.rungs[0]) for one in tried])
        total, running = each, len(self.candidates)  # the one more among them
        default = self.candidates[0]
        for rung, upto in zip(self.rungs, self.rungs[1:], strict=False):
            running = ceil(running / KEPT)
            total += Cost.of_rows(default, upto - rung).times(running)
        return total

    def _affords(self, cost: Cost) -> bool:
        """Tell whether the effort has room for something; if not, say what is used up."""
        plan, bench = self.plan, self.bench
        if plan.usd is not None:
            if bench.spent_usd is None or cost.usd is None:
                self.outfit.note("effort", "a charge is not known, so nothing more is tried")
                self.ended = "usd"
                return False
            if bench.spent_usd + cost.usd > plan.usd:
                self.ended = "usd"
                return False
        if plan.seconds is not None and bench.spent_s + cost.seconds > plan.seconds:
            self.ended = "minutes"
            return False
        return True

    def _score(self, candidate: Candidate, upto: int | None = None) -> float | None:
        """Return the metric of a candidate's answers, of the first rows alone where these count."""
        if candidate.error is not None or not candidate.rows:
            return None
        value = float(self.metric.finish(candidate.statistics[:upto].sum(axis=0)))
        return 0.0 if np.isnan(value) else value

    def _taken(self) -> tuple[Candidate, Lead | None]:
        """Return the candidate to take, and how far the best is ahead of the defaults."""
        default = self.candidates[0]
        whole = [one for one in self.candidates if not one.error and one.rows == self.all_rows]
        if default.error is not None:
            if not whole:
                what = "no set of parameters worked; the defaults failed"
                raise StrategyError(f"{what}: {default.error}")
            return max(whole, key=lambda one: self._score(one) or 0.0), None
        if len(whole) < 2:
            return default, None
        best = max(whole, key=lambda one: self._score(one) or 0.0)
        if best is default:
            others = [one for one in whole if one is not default]
            best = max(others, key=lambda one: self._score(one) or 0.0)
        lead = paired_lead(self.metric, best.statistics, default.statistics)
        return (best if lead.value > lead.se else default), lead

    def _record(self, taken: Candidate, lead: Lead | None) -> SearchRecord:
        plan = self.plan
        rows = self.bench.rows if self.candidates[0].rows or len(self.candidates) > 1 else []
        widths = [one.statistics.shape[1] for one in self.candidates if one.rows]
        known = lead is not None and np.isfinite(lead.se)
        return SearchRecord(
            family=plan.family,
            sharing=plan.sharing,
            effort=plan.effort,
            most_trials=plan.trials,
            most_s=plan.seconds,
            most_usd=plan.usd,
            space={d.name: list(d.values) or [d.low, d.high] for d in plan.space},
            sampler=self.proposer.sampler,
            row_ids=tuple(row.query.id for row in rows),
            width=max(widths, default=0),
            trials=tuple(one.record(self._score(one)) for one in self.candidates),
            chosen=taken.number,
            lead=lead.value if lead else None,
            lead_se=lead.se if lead and known else None,
            ended=self.ended,
            why=self._why(taken, lead),
            of_seed=self.outfit.job.seed,
        )

    def _why(self, taken: Candidate, lead: Lead | None) -> str:
        """Say in a sentence what was tried and why this was taken."""
        tried = len(self.candidates)
        if tried == 1:
            if self.plan.trials == 1:
                return "the defaults: the effort has room for one trial"
            if self.ended == "space":
                return "the defaults: the strategy takes no others in its space"
            return f"the defaults: preparing them used up the {WORDS[self.ended]} of the effort"
        failed = sum(one.error is not None for one in self.candidates)
        of = f"{tried} trials" + (f", of which {failed} failed" if failed else "")
        what = ", ".join(f"{k} = {v}" for k, v in taken.changed.items()) or "the defaults"
        if lead is None:
            return f"{what}, of {of}: " + (
                "the defaults failed" if taken.number else "none finished"
            )
        ahead = f"the best leads the defaults by {lead.value:.3f}"
        return (
            f"{what}, of {of} on {self.all_rows} validation rows: {ahead}"
            f" (one standard error is {lead.se:.3f})"
        )


def count_search(outfit: Outfit, ruler: Ruler) -> None:
    """Count the search of the arm's first seed, if there was one, for the fit of another one too.

    Nobody has these parameters without having searched.
    """
    search = read_search(outfit.workspace.folder)
    if search is not None:
        ruler.add_wall_s(search.besides_s)
        took = f"the {search.besides_s:.0f} s count here too"
        outfit.note("effort", f"its parameters were chosen with seed {search.of_seed}; {took}")


def in_order(validation: Split, most: int, seed: int) -> list[Example]:
    """Return validation rows in a seeded order, so that the first ones are of every kind."""
    rows = list(validation)
    random.Random(seed).shuffle(rows)
    return rows[:most]
