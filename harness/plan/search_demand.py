"""What choosing an arm's parameters adds to its forecast: its preparation once for each trial.

Knows an effort and a forecast, and nothing of how trials are proposed: other parameters are taken
to need what the defaults do.
"""

from __future__ import annotations

from math import prod

from harness.plan.demand import total
from harness.run.dispatch import most_rows
from harness.store.records import Forecast
from harness.task import Task
from harness.task.effort import Search


def searched(found: Forecast, search: Search | None, task: Task, arm: str) -> Forecast:
    """Return the forecast of an arm with the search that it makes first.

    Args:
        found: with its defaults.
        search: what it may try and spend; None: it makes none.
        task: whose validation rows candidates answer.
        arm: its name.
    """
    if search is None or found.fit_wall_s is None:
        return found
    trials = min(search.trials, most_sets(search))
    if trials == 1:
        return found
    share = _share_of_serving(task, arm)
    each_s = found.fit_wall_s + share * (found.serve_wall_s or 0.0)
    most_s = trials * each_s
    least_s = trials * (found.fit_wall_low_s or 0.0)
    says = f"preparation holds {trials} trials of `effort`, each as the defaults"
    if search.seconds is not None:
        # The last trial begins when there is room for one like those before it.
        most_s = min(most_s, search.seconds + each_s)
        least_s = min(least_s, search.seconds)
        says += f", or {search.seconds / 60:.3g} minutes"
    usd = _usd(found, trials, share, most_s / each_s if each_s else 1.0)
    if usd is not None and search.usd is not None:
        usd = min(usd, search.usd + (found.fit_usd or 0.0))
    return found.model_copy(
        update={
            "fit_wall_s": max(found.fit_wall_s, most_s),
            "fit_wall_low_s": None if found.fit_wall_low_s is None else least_s,
            "fit_usd": usd,
            "notes": (*found.notes, says),
        }
    )


def most_sets(search: Search) -> int:
    """Return how many sets of parameters a space holds, as far as any effort would try them."""
    sizes = [len(one.values) or search.trials for one in search.space]
    return min(search.trials, prod(sizes))


def _share_of_serving(task: Task, arm: str) -> float:
    """Return how much of what the test rows take a trial's answers to validation rows take."""
    rows = min(len(task.validation), most_rows("model" in task.profiles[arm].needs))
    return rows / max(1, len(task.test))


def _usd(found: Forecast, trials: int, share: float, times: float) -> float | None:
    """Return what preparation costs with the trials that there is time for; None: not known."""
    each = total([found.fit_usd, None if found.serve_usd is None else share * found.serve_usd])
    return None if each is None else min(float(trials), times) * each
