"""Which parameters of a strategy are worth trying, and with whom it shares a task's effort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import StrategyError
from harness.files.guarded import shown_safely
from harness.registry.profiles import Profile
from harness.search_space import Dimension, dimensions
from harness.strategy import Strategy

FAMILIES = ("prompted", "retrieval", "classic", "encoder", "tuned")
"""What `Strategy.family` may say: arms of one share what a task gives for choosing parameters."""


def space(strategy: type[Strategy], given: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Return the parameters that a strategy declares a space for and a task does not give.

    Args:
        strategy: the class.
        given: parameters that the task file writes: they stay.

    Raises:
        StrategyError: a space is none, or its default lies outside of it.
    """
    try:
        return tuple(dimensions(strategy.Params, given))
    except ValueError as problem:
        raise StrategyError(f"{strategy.__name__}: its Params: {problem}") from None


def family(strategy: type[Strategy], profile: Profile) -> str:
    """Return the family that a strategy is of, as it says itself or as its needs tell.

    Args:
        strategy: the class.
        profile: of it with the parameters that it has.

    Raises:
        StrategyError: it names a family that there is not.
    """
    said = strategy.family
    if said is not None:
        if said not in FAMILIES:
            raise StrategyError(
                f"{strategy.__name__}: its family is {shown_safely(said)}"
                f" → one of {', '.join(FAMILIES)}"
            )
        return said
    if "weights" in profile.needs:  # a pretrained model's: a language model's, or an embedder's
        return "tuned" if "model" in profile.needs else "encoder"
    if "corpus" in profile.needs:
        return "retrieval"
    if "model" in profile.needs:
        return "prompted"
    return "encoder" if profile.models else "classic"
