"""What choosing an arm's parameters took, and by how much the chosen score flatters.

From what the fit wrote down of each trial. Knows nothing of how trials were proposed.
"""

from __future__ import annotations

import numpy as np

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.effort import EffortResult, Tried
from harness.metrics import Metric
from harness.stats.choosing import expected_best, optimism
from harness.store.search_record import SearchRecord, SearchTrial, unpacked


def effort_of(run: RunData, arm: ArmData) -> EffortResult | None:
    """Return what the search of an arm found; None where nothing was searched."""
    search = arm.files.search
    if search is None:
        return None
    scores = {one.number: one.score for one in search.trials}
    whole = [one.score for one in search.complete if one.score is not None]
    charges = [one.usd for one in search.trials if one.usd is not None]
    asks = arm.plan.needs_model and search.most_usd is not None
    return EffortResult(
        family=search.family,
        sharing=search.sharing,
        most_trials=search.most_trials,
        most_s=search.most_s,
        most_usd=search.most_usd,
        ended=search.ended,
        why=search.why,
        sampler=search.sampler,
        of_seed=search.of_seed,
        changed=search.params,
        tried=tuple(map(_tried, search.trials)),
        wall_s=sum(one.wall_s for one in search.trials),
        usd=sum(charges) if asks and len(charges) == len(search.trials) else None,
        rows=max((one.rows for one in search.trials), default=0),
        default_score=scores.get(0),
        best_score=max(whole, default=None),
        chosen_score=scores.get(search.chosen),
        lead=search.lead,
        lead_se=search.lead_se,
        optimism=_optimism(run.metric, search),
        expected_best=tuple(expected_best(whole)) if len(whole) > 1 else (),
    )


def _tried(trial: SearchTrial) -> Tried:
    return Tried(
        changed=trial.changed,
        by=trial.by,
        rows=trial.rows,
        score=trial.score,
        wall_s=trial.wall_s,
        error=trial.error,
    )


def _optimism(metric: Metric, search: SearchRecord) -> float | None:
    """Return it over the candidates that answered all rows, the defaults first among them.

    Those that were given up before are not among them: the choice between few rows flatters too,
    and by how much is not known, so this is the least.
    """
    whole = search.complete
    if len(whole) < 2 or whole[0].number != 0:
        return None
    try:
        statistics = np.stack([unpacked(one.statistics, search.width) for one in whole])
        return optimism(metric, statistics)
    except (IndexError, ValueError):  # statistics of another metric than this one: a changed file
        return None
