"""How far a run is: the share that is done, the time that is left by forecast, the best score.

Pure: it is told what began and ended, and how long ago. Knows no screen but a width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.store.records import Forecast
from harness.wording import numbers

Span = tuple[float, float]
"""Seconds, at the least and at the most."""


class UnderWay(NamedTuple):
    """A trial that has begun."""

    arm: str
    doing: str
    """Which part of it is done, or comes next."""
    elapsed_s: float
    """Since that part began."""


@dataclass
class Pace:
    """What is left of a run's trials."""

    forecasts: dict[str, Forecast] = field(default_factory=dict)
    """By arm, of one trial."""
    trials: dict[str, int] = field(default_factory=dict)
    """By arm, how many have not ended, those that are under way among them."""
    best: tuple[str, float] | None = None
    """The arm with the best score so far, and that score."""

    def expect(self, forecasts: Mapping[str, Forecast], trials: Mapping[str, int]) -> None:
        """Learn what is going to run.

        Args:
            forecasts: by arm, of one trial.
            trials: by arm, how many of them.
        """
        self.forecasts, self.trials = dict(forecasts), dict(trials)

    def ended(self, arm: str) -> None:
        """Learn that one of an arm's trials is over."""
        self.trials[arm] = max(0, self.trials.get(arm, 0) - 1)

    def scored(self, arm: str, score: float) -> None:
        """Learn what an arm scored."""
        if self.best is None or score > self.best[1]:
            self.best = (arm, score)

    def half_s(self, arm: str, doing: str) -> Span | None:
        """Return what the half of a trial that is under way takes; None: not known."""
        found = self.forecasts.get(arm)
        if found is None or doing not in ("fit", "serve"):
            return None
        if doing == "fit":
            return _span(found.fit_wall_low_s, found.fit_wall_s)
        return _span(found.serve_wall_low_s, found.serve_wall_s)

    def left_s(self, under_way: Sequence[UnderWay], at_once: int = 1) -> Span | None:
        """Return what is left to do; None: of an arm that is left it is not known.

        Preparation is shared out evenly among those who prepare at once; whoever serves is alone.

        Args:
            under_way: the trials that have begun and not ended.
            at_once: how many are prepared at once.
        """
        begun = Counter(one.arm for one in under_way)
        low = high = 0.0
        parts = [self._rest_of(one) for one in under_way if self.trials.get(one.arm)]
        for name, n in self.trials.items():
            if n > begun[name]:
                parts.append(
                    (n - begun[name], self.half_s(name, "fit"), self.half_s(name, "serve"))
                )
        for n, fit, serve in parts:
            if fit is None or serve is None:
                return None
            low += n * (fit[0] / at_once + serve[0])
            high += n * (fit[1] / at_once + serve[1])
        return low, high

    def _rest_of(self, one: UnderWay) -> tuple[int, Span | None, Span | None]:
        """Return what is left of one trial: of its preparation and of its serving."""
        none = (0.0, 0.0)
        if one.doing not in ("fit", "serve"):
            return 1, none, none  # what comes after the answers has no forecast
        half = self.half_s(one.arm, one.doing)
        rest = half and (max(0.0, half[0] - one.elapsed_s), max(0.0, half[1] - one.elapsed_s))
        return (1, none, rest) if one.doing == "serve" else (1, rest, self.half_s(one.arm, "serve"))


def share_done(since_s: float, left: Span | None) -> float | None:
    """Return the share of a run that is done, by time; None: not known.

    Args:
        since_s: seconds since the run began.
        left: what is left of it.
    """
    if left is None:
        return None
    whole = since_s + (left[0] + left[1]) / 2
    return since_s / whole if whole > 0 else None


@dataclass(frozen=True)
class Moment:
    """What a line of progress tells."""

    place: str
    """Which trial it is of how many: [3/12]."""
    arm: str
    doing: str
    elapsed_s: float
    half_s: Span | None
    """Forecast of what is under way."""
    share: float | None
    left: Span | None
    best: tuple[str, float] | None


def progress_line(now: Moment, width: int) -> str:
    """Return a line of progress in as many words as a screen takes."""
    elapsed = numbers.duration(now.elapsed_s)
    of = f" of {_range(now.half_s)}" if now.half_s and now.half_s[1] >= 1 else ""
    share, left, best, score = _of_the_run(now)
    percent = share.removesuffix(" done")
    head, bare = f"{now.place} {now.arm}: {now.doing}", f"{now.place} {now.arm}"
    variants = [
        (f"{head}, {elapsed}{of}", share, left, best),
        (f"{head}, {elapsed}", share, left, best),
        (f"{bare}, {elapsed}", share, left, best),
        (f"{bare}, {elapsed}", percent, left, score),
        (bare, percent, left, score),
        (bare, percent, left),
        (bare, percent),
        (bare,),
    ]
    return _widest(variants, width)


def total_line(at_once: int, now: Moment, width: int) -> str:
    """Return the line above those of several trials at once: what is done and left of all.

    Args:
        at_once: how many there are.
        now: what is known of the whole run.
        width: characters of a line.
    """
    whole = f"{at_once} trials at once"
    share, left, best, score = _of_the_run(now)
    variants = [(whole, share, left, best), (whole, share, left, score), (whole, left), (whole,)]
    return _widest(variants, width)


def _of_the_run(now: Moment) -> tuple[str, str, str, str]:
    """Return the share that is done, what is left, and the best score in two lengths."""
    share = "" if now.share is None else f"{numbers.percent(now.share)} done"
    left = "" if now.left is None else f"{_range(now.left)} left"
    best = "" if now.best is None else f"best so far {now.best[0]} {numbers.score(now.best[1])}"
    score = "" if now.best is None else f"best {numbers.score(now.best[1])}"
    return share, left, best, score


def _widest(variants: Sequence[Sequence[str]], width: int) -> str:
    """Return the first of several lines that fits, or the last."""
    lines = [" · ".join(part for part in parts if part) for parts in variants]
    return next((line for line in lines if len(line) <= width), lines[-1])


def _span(low: float | None, high: float | None) -> Span | None:
    return None if high is None else (low or 0.0, high)


def _range(span: Span) -> str:
    """Return a range of time in one unit, short: 14–32 min."""
    unit_s, unit = next(
        (size, name)
        for most, size, name in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (1e99, 3600.0, "h"))
        if span[1] < most
    )
    low, high = (f"{seconds / unit_s:.0f}" for seconds in span)
    return f"{high} {unit}" if low == high else f"{low}–{high} {unit}"
