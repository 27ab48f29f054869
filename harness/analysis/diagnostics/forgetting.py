"""What tuning made a model forget: the general probe before and after, paired over its items.

Before is the untuned model in the run's number format; after is the arm as it is served: with its
adapter, its soft prompt before every input, its weights in 4 bits where it serves such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.analysis.run_data import ArmData, Array
from harness.analysis.schema.diagnostics import Change, Forgetting
from harness.analysis.scoring.paired import change_between
from harness.metrics import each_counts, find

Row = Mapping[str, Any]


def forgetting_of(arm: ArmData) -> Forgetting | None:
    """Compare an arm with its untuned model; None where nobody asked the probe."""
    asked = [trial.probe for trial in arm.trials if trial.probe is not None]
    if not asked:
        return None
    reasons = [result.error or result.status for result in asked if result.status != "ok"]
    if reasons:
        return Forgetting(undefined=reasons[0])
    after = [probed for probed in arm.files.probed if probed is not None]
    if len(after) < len(asked):
        return Forgetting(undefined="what it said to the probe is not in the run folder")
    before = arm.files.untuned
    if before is None:
        why = arm.files.untuned_problem or "they are not in the run folder"
        return Forgetting(undefined=f"the untuned model's answers to the probe are missing: {why}")
    if any(probed.of != before.of for probed in after):
        return Forgetting(undefined="the probe was another one before tuning → run it again")
    passages, questions = (
        [[row for row in one.rows if key in row] for one in (before, *after)]
        for key in ("bytes", "right")
    )
    return Forgetting(
        bits_per_byte=_change("bits_per_byte", [_surprise(rows) for rows in passages]),
        choice_accuracy=_change("accuracy", [_right(rows) for rows in questions]),
        note=_other_format(arm),
    )


def _change(metric: str, statistics: Sequence[Array]) -> Change:
    """Compare the first, [items, k], with all the others, one a seed."""
    before, *after = statistics
    return change_between(find(metric), before[None], np.stack(after))


def _surprise(rows: Sequence[Row]) -> Array:
    """Return [passages, 2]: minus the natural log-likelihood, and bytes."""
    return np.array([[-row["log_likelihoods"][0], row["bytes"]] for row in rows], dtype=float)


def _right(rows: Sequence[Row]) -> Array:
    """Return [questions, 2]: 1 where the right option is the likeliest, and 1 for counting."""
    return each_counts([float(np.argmax(r["log_likelihoods"]) == r["right"]) for r in rows])


def _other_format(arm: ArmData) -> str | None:
    """Say in which other number format the arm is served, if so: that is in the change too."""
    probes = [trial.probe for trial in arm.trials if trial.probe]
    loaded = {model.dtype for probe in probes for model in probe.loaded_models}
    before = arm.files.untuned_dtype
    other = sorted(dtype for dtype in loaded - {before} if dtype is not None)
    if before is None or not other:
        return None
    return f"before in {before}, after in {other[0]}: the rounding is part of the change"
