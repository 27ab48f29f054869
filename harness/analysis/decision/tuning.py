"""Is fine-tuning worth it here: what the choice says of it, and the best arm of the other kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.decision.verdict import ArmFigures, Code, Reason


def tuning_pays(choice: str | None, arms: Sequence[ArmFigures]) -> bool | None:
    """Tell whether fine-tuning is worth it; None where no tuned and untuned arm competed.

    An arm that is out because a figure is unknown did not compete: the figure may be to its favour.
    Neither did one most of whose answers are lost (see `left_open_by`): read whole, it may score
    otherwise.

    Args:
        choice: the arm that is chosen, not provisionally; None: no arm is.
        arms: all that finished.
    """
    tuned = {arm.name for arm in arms if arm.tuned}
    if choice is None or not tuned or len(tuned) == len(arms):
        return None
    pays = choice in tuned
    if any(arm.unknown for arm in arms if arm.tuned != pays) or left_open_by(choice, arms):
        return None
    return pays


def already_pays(
    choice: str, arms: Sequence[ArmFigures], rejected: Mapping[str, Reason]
) -> bool | None:
    """Tell whether fine-tuning is worth it where the choice between arms of one kind is still open.

    That is known once every arm of the other kind is out for good: significantly worse than the
    best, or over a limit. None: one of them may still be chosen.

    Args:
        choice: the arm that scores best for now.
        arms: all that finished.
        rejected: arm to why it is not chosen.
    """
    pays = tuning_pays(choice, arms)
    others = [arm.name for arm in arms if arm.tuned != pays]
    out = {Code.SIGNIFICANTLY_WORSE, Code.OVER_A_LIMIT}
    return pays if all(name in rejected and rejected[name].code in out for name in others) else None


def left_open_by(choice: str | None, arms: Sequence[ArmFigures]) -> list[str]:
    """Return the arms on whose lost answers it rests whether fine-tuning is worth it.

    They are the choice, and each arm of the other kind that only its score keeps from being
    chosen. What others of the choice's own kind answered decides nothing about the kinds.

    Args:
        choice: the arm that is chosen, not provisionally; None: no arm is.
        arms: all that finished.
    """
    tuned = {arm.name for arm in arms if arm.tuned}
    if choice is None or not tuned or len(tuned) == len(arms):
        return []
    rivals = [arm for arm in arms if (arm.name in tuned) != (choice in tuned)]
    weighed = [arm for arm in arms if arm.name == choice or (arm in rivals and arm.could_compete)]
    return [arm.name for arm in weighed if arm.mostly_lost]


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
