"""Two compared runs in lines for a screen."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.compare_runs.compare import ArmChange, RunsCompared
from harness.analysis.compare_runs.setups import SetupChange

MOST_NAMES = 6
"""Things of one part that the line on what changed names."""


def compared_lines(found: RunsCompared) -> Iterator[str]:
    """Yield the change of each arm with its interval, and of latency, memory and preparation."""
    yield (
        f"{found.metric} of {found.second.path} less {found.first.path}, on {found.rows_n} shared"
        " test rows:"
    )
    for arm in found.arms:
        yield from _of_arm(arm, found.metric)
    yield from _setup(found.setup)
    yield from found.missing


def _of_arm(arm: ArmChange, metric: str) -> Iterator[str]:
    if (change := arm.change) is None:
        yield f"{arm.name}: none of the shared test rows counts for {metric}"
        return
    yield (
        f"{arm.name}: {100 * change.change:+.1f} points, 95% interval {100 * change.ci_low:+.1f} to"
        f" {100 * change.ci_high:+.1f}: {arm.verdict}"
    )
    if arm.rows is not None and (arm.rows.fixed_n or arm.rows.broken_n):
        yield f"{arm.name}: {arm.rows.fixed_n} rows fixed, {arm.rows.broken_n} broken"
    was, now = arm.before, arm.after
    if arm.on_one_machine:
        yield (
            f"{arm.name}: p50 {was.p50} to {now.p50}, serving memory {was.serving_memory} to"
            f" {now.serving_memory}, preparation {was.preparation} to {now.preparation}"
        )
    else:
        yield (
            f"{arm.name}: times and memory are not comparable: measured on"
            f" {' and '.join(was.machines)}, then on {' and '.join(now.machines)}"
            " → run both on one machine"
        )
    if arm.other_params:
        yield f"{arm.name}: other parameters: {', '.join(arm.other_params)}"


def _setup(changes: tuple[SetupChange, ...]) -> Iterator[str]:
    for part in dict.fromkeys(change.part for change in changes):
        names = [change.what for change in changes if change.part == part]
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield f"changed in {part}: {', '.join(names[:MOST_NAMES])}{more}"
