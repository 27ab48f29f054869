"""Whether an arm's answers depend on the order in which the test rows were asked."""

from __future__ import annotations

from harness.analysis.run_data import ArmData
from harness.analysis.schema.diagnostics import AnswerOrder


def order_of(arm: ArmData) -> AnswerOrder | None:
    """Add up what every seed's process found; None where none looked, as in earlier versions."""
    found = [trial.serve.order for trial in arm.trials if trial.serve and trial.serve.order]
    if not found:
        return None
    if reasons := [one.undefined for one in found if one.undefined]:
        return AnswerOrder(undefined=reasons[0])
    moved = [one.largest_logprob_change for one in found]
    return AnswerOrder(
        changed=sum(len(one.changed) for one in found),
        asked=sum(one.asked for one in found),
        largest_logprob_change=max((m for m in moved if m is not None), default=None),
    )
