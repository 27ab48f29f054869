"""From trials on other rows to curves, crossovers, the value of labels, and effects of rows.

Reads nothing that a verdict rests on, and no verdict reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from harness.analysis.curve import wording
from harness.analysis.curve.points import Group, Point, all_labels, groups, resampled
from harness.analysis.run_data import RunData
from harness.analysis.schema.curve import (
    Crossover,
    CurveLine,
    CurvePoint,
    LearningCurve,
    NextLabels,
    RowsEffect,
)
from harness.stats.learning_curve import FARTHEST, FEWEST_SIZES, crossing, gain

NEXT = 100
"""Labels whose value is told."""
MOST_PAIRS = 12


def learning_curve(run: RunData, choice: str | None) -> LearningCurve | None:
    """Return what trials on other rows came to; None where there were none.

    Args:
        run: with its trials on other rows.
        choice: the arm that the verdict chooses, which all others are held against.
    """
    found = groups(run)
    if not found:
        return None
    sized = _sized(run, found)
    points = resampled(run, sized) if any(sized.values()) else {}
    return LearningCurve(
        metric=run.metric.name,
        labels_n=all_labels(run),
        lines=tuple(_line(run, some, bool(sized[arm])) for arm, some in points.items()),
        crossovers=tuple(_crossovers(run, points, choice)),
        effects=tuple(_effects(run, found)),
        missing=tuple(
            f"{group.arm} with {group.rows.size:,} labels: {group.why_missing}"
            for group in found
            if group.rows.size is not None and not group.ended
        ),
    )


def _sized(run: RunData, found: Sequence[Group]) -> dict[str, list[Group]]:
    """Return each arm's groups by size; of one that needs no labels none, and no other arm."""
    sized: dict[str, list[Group]] = {}
    for arm in run.finished:
        own = [group for group in found if group.arm == arm.name and group.rows.size is not None]
        if own or arm.plan.labels_n == 0:
            sized[arm.name] = sorted(own, key=lambda group: group.rows.size or 0)
    return sized


def _line(run: RunData, points: Sequence[Point], learns: bool) -> CurveLine:
    drawn = tuple(
        CurvePoint(
            labels_n=point.labels_n,
            value=point.value,
            ci_low=_bounds(run, point)[0],
            ci_high=_bounds(run, point)[1],
            trainings=point.trainings,
            failed=point.failed,
        )
        for point in points
    )
    more = _next(run, points) if learns else None
    return CurveLine(strategy=points[0].arm, learns=learns, points=drawn, next_labels=more)


def _bounds(run: RunData, point: Point) -> tuple[float, float]:
    """Return the middle 95% of the resamples, within the metric's range."""
    low, high = np.quantile(point.resampled, (0.025, 0.975))
    return max(float(low), run.metric.lowest), min(float(high), run.metric.highest)


def _next(run: RunData, points: Sequence[Point]) -> NextLabels:
    """Return what the next labels would add to an arm that learns from them."""
    price = run.task.labour.usd_per_label
    usd = None if price is None else NEXT * price
    sizes = np.array([point.labels_n for point in points], dtype=float)
    values = np.stack([point.resampled for point in points])
    found = gain(sizes, values, NEXT, run.metric.highest)
    if found is None:
        why = f"a law needs {FEWEST_SIZES} sizes, and there are {len(sizes)}"
        if len(sizes) >= FEWEST_SIZES:
            why = (
                f"{NEXT} more would be over {FARTHEST:g} times the {sizes[-1]:,.0f} labels"
                " that there are, too far to tell"
            )
        return NextLabels(labels=NEXT, usd=usd, undefined=why)
    of_points = np.array([[point.value] for point in points])
    weighed = np.concatenate([of_points, values], axis=1)
    whole = gain(sizes, weighed, NEXT, run.metric.highest)
    assert whole is not None
    low, high = np.quantile(found, (0.025, 0.975))
    return NextLabels(
        labels=NEXT, value=float(whole[0]), ci_low=float(low), ci_high=float(high), usd=usd
    )


def _crossovers(
    run: RunData, points: Mapping[str, Sequence[Point]], choice: str | None
) -> Iterator[Crossover]:
    """Yield a crossover for each pair of interest of which one learns from labels."""
    tuned = {arm.name for arm in run.arms if arm.plan.tunes}
    flat = {arm.name for arm in run.arms if arm.plan.labels_n == 0}
    pairs = [(one, choice) for one in points if choice in points and one != choice]
    pairs += [(a, b) for a in points if a in tuned for b in points if b not in tuned]
    seen: set[frozenset[str | None]] = set()
    for one, other in pairs:
        assert other is not None
        both = frozenset((one, other))
        if both in seen or max(len(points[one]), len(points[other])) < 2 or len(seen) >= MOST_PAIRS:
            continue
        seen.add(both)
        if (found := _crossover(points[one], points[other], flat)) is not None:
            yield found


def _crossover(
    one: Sequence[Point], other: Sequence[Point], flat: Collection[str]
) -> Crossover | None:
    """Return where the arm that gains on the other overtakes it; None with fewer than two sizes.

    Args:
        one: the points of an arm.
        other: those of another one.
        flat: arms that need no labels: their one point holds at every size. An arm that learns is
            known at its own sizes alone.
    """
    sizes = sorted({p.labels_n for p in (*one, *other)})
    at = [size for size in sizes if all(_has(some, size, flat) for some in (one, other))]
    if len(at) < 2:
        return None
    ahead = np.stack([_at(one, size).resampled - _at(other, size).resampled for size in at])
    first, last = (_at(one, size).value - _at(other, size).value for size in (at[0], at[-1]))
    names = one[0].arm, other[0].arm
    if last < first:
        ahead, names = -ahead, names[::-1]
    found = crossing(np.array(at, dtype=float), ahead)
    return wording.crossover(*names, found, at)


def _has(points: Sequence[Point], size: int, flat: Collection[str]) -> bool:
    return points[0].arm in flat or any(point.labels_n == size for point in points)


def _at(points: Sequence[Point], size: int) -> Point:
    """Return the point of a size; an arm that needs no labels has one for all."""
    return next((point for point in points if point.labels_n == size), points[-1])


def _effects(run: RunData, found: Sequence[Group]) -> Iterator[RowsEffect]:
    """Yield what wrong labels and made rows change of each arm, kind by kind."""
    kinds = dict.fromkeys(group.rows for group in found if group.rows.size is None)
    for rows in kinds:
        of_kind = {group.arm: [group] for group in found if group.rows == rows}
        points = resampled(run, of_kind)
        for arm, [group] in of_kind.items():
            kind, amount = ("noise", rows.noise) if rows.noise else ("augment", rows.factor)
            effect = RowsEffect(strategy=arm, kind=kind, amount=amount, kinds=rows.kinds)
            both = points.get(arm, [])
            if len(both) < 2:
                why = group.why_missing if both else "its own trials did not all end ok"
                yield effect.model_copy(update={"undefined": why})
                continue
            change = both[0].resampled - both[1].resampled
            low, high = np.quantile(change, (0.025, 0.975))
            update = {
                "value": both[0].value - both[1].value,
                "ci_low": float(low),
                "ci_high": float(high),
                "trainings": both[0].trainings,
            }
            yield effect.model_copy(update=update)
