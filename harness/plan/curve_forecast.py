"""What `curve`, `noise` and `augment` are expected to take, size by size, on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.plan.demand import total
from harness.plan.task_forecast import foresee
from harness.run.planned import NOISE_DRAWS, labels_n, other_variants, refusal
from harness.store.records import Forecast
from harness.store.rows_variant import RowsVariant
from harness.task import Task
from harness.wording import numbers


@dataclass(frozen=True)
class RowsForecast:
    """The trials of all arms on one kind of rows."""

    what: str
    """As "50 labels"."""
    trials: Mapping[str, int]
    """By arm."""
    of_one: Mapping[str, Forecast]
    """By arm, of one trial."""

    @property
    def span_s(self) -> tuple[float | None, float | None]:
        """What all take together, at the least and at the most; None: not known of all."""
        low = total([_times(n, _low(self.of_one[arm])) for arm, n in self.trials.items()])
        high = total([_times(n, _high(self.of_one[arm])) for arm, n in self.trials.items()])
        return low, high

    @property
    def usd(self) -> float | None:
        """What all cost together, at the most; None: not known of all."""
        each = ((n, total([f.fit_usd, f.serve_usd])) for n, f in self._each())
        return total([_times(n, usd) for n, usd in each])

    @property
    def unknown(self) -> tuple[str, ...]:
        """Arms whose times are not known."""
        return tuple(arm for arm, found in self.of_one.items() if _high(found) is None)

    def _each(self) -> Iterator[tuple[int, Forecast]]:
        yield from ((n, self.of_one[arm]) for arm, n in self.trials.items())


def foresee_curve(task: Task) -> tuple[RowsForecast, ...]:
    """Return the forecasts of a task's trials on other rows, the smallest size first."""
    able = [
        arm.name
        for arm in task.arms
        if labels_n(task, task.profiles[arm.name])
        and not task.profiles[arm.name].replays
        and refusal(task, arm) is None
    ]
    found = []
    if (curve := task.spec.curve) is not None:
        arms = [name for name in able if curve.takes(name)]
        for size in curve.counts:
            variant = RowsVariant(size=size, seed=curve.seed)
            trials = dict.fromkeys(arms, curve.repeats)
            found.append(_foreseen(task, f"{size:,} labels", variant, trials))
    for variant, draws in other_variants(task):
        noisy = variant.noise > 0
        what = f"{100 * variant.noise:g}% wrong labels" if noisy else f"{variant.factor} × rows"
        least = NOISE_DRAWS if noisy else draws
        trials = {name: max(len(task.seeds_of(name)), least) for name in able}
        found.append(_foreseen(task, what, variant, trials))
    return tuple(each for each in found if each.trials)


def _foreseen(
    task: Task, what: str, variant: RowsVariant, trials: Mapping[str, int]
) -> RowsForecast:
    if not trials:
        return RowsForecast(what, {}, {})
    outlook = foresee(task.of_seed(0, variant), frozenset(trials), elsewhere=False)
    return RowsForecast(what, trials, outlook.here)


def curve_lines(forecasts: tuple[RowsForecast, ...]) -> Iterator[str]:
    """Yield what `plan` prints of them: a line for each kind of rows, and their total."""
    if not forecasts:
        return
    yield "Trials on other rows (`curve`, `noise`, `augment`), beside those above, on this machine:"
    for each in forecasts:
        n = sum(each.trials.values())
        takes = _cost(*each.span_s, each.usd)
        yield f"- {each.what}: {n} trials of {len(each.trials)} arms, {takes}"
        if each.unknown:
            yield f"  not known: {', '.join(each.unknown)}"
    low = total([each.span_s[0] for each in forecasts])
    high = total([each.span_s[1] for each in forecasts])
    usd = total([each.usd for each in forecasts])
    n = sum(n for each in forecasts for n in each.trials.values())
    yield f"- together: {n} trials, {_cost(low, high, usd)}"


def curve_json(forecasts: tuple[RowsForecast, ...]) -> list[dict[str, Any]]:
    """Return the same for `plan --json`."""
    return [
        {
            "rows": each.what,
            "trials": dict(each.trials),
            "wall_low_s": each.span_s[0],
            "wall_high_s": each.span_s[1],
            "usd": each.usd,
            "unknown": list(each.unknown),
        }
        for each in forecasts
    ]


def _cost(low: float | None, high: float | None, usd: float | None) -> str:
    time = "time unknown" if high is None else numbers.span(low, high)
    return f"{time}, " + ("cost unknown" if usd is None else f"{numbers.usd(usd)} at the most")


def _low(found: Forecast) -> float | None:
    return total([found.fit_wall_low_s, found.serve_wall_low_s])


def _high(found: Forecast) -> float | None:
    return total([found.fit_wall_s, found.serve_wall_s])


def _times(n: int, each: float | None) -> float | None:
    return None if each is None else n * each
