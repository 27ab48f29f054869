"""Is fine-tuning worth it here: what the choice says of it, and the best arm of the other kind."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.decision.verdict import ArmFigures, Code, Reason


def tuning_pays(choice: str | None, arms: Sequence[ArmFigures]) -> bool | None:
    """Tell whether fine-tuning is worth it; None where no tuned and untuned arm competed.

    An arm that is out because a figure is unknown did not compete: the figure may be to its favour.

    Args:
        choice: the arm that is chosen, not provisionally; None: no arm is.
        arms: all that finished.
    """
    tuned = {arm.name for arm in arms if arm.tuned}
    if choice is None or not tuned or len(tuned) == len(arms):
        return None
    pays = choice in tuned
    return None if any(arm.unknown for arm in arms if arm.tuned != pays) else pays


def best_of_other_kind(choice: str | None, arms: Sequence[ArmFigures]) -> Reason:
    """Name the best arm of the kind that was not chosen, tuned or untuned."""
    chosen = next(arm for arm in arms if arm.name == choice)
    others = [arm for arm in arms if arm.tuned != chosen.tuned]
    feasible = [arm for arm in others if arm.feasible]
    best = max(feasible or others, key=lambda arm: arm.score)
    if len(feasible) == len(others):
        code = Code.BEST_OF_OTHER_KIND
    elif feasible:
        code = Code.BEST_FEASIBLE_OF_OTHER_KIND
    else:
        code = Code.NONE_FEASIBLE_OF_OTHER_KIND
    return Reason(code, best.name, (chosen.name,))
