"""What a task spends on choosing its arms' parameters, and which arm may spend how much of it.

Knows nothing of how parameters are proposed and compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from harness.search_space import Dimension
from harness.task.spec import PositiveFloat, Spec

MOST_TRIALS = 24
"""Of a family, where minutes or money are given alone: of more, the best on few validation rows is
the luckiest rather than the best (Cawley and Talbot 2010, JMLR 11, 2079)."""


class Effort(Spec):
    """How much is spent on choosing each family's parameters: until the first limit is reached.

    Families are prompted arms, retrieval, classic ones, encoders and tuned language models. The
    arms of a family that have something to choose share its effort equally.
    """

    trials: int | None = Field(None, gt=0)
    """Sets of parameters that are tried, the defaults among them; None: 24 at the most."""
    minutes: PositiveFloat | None = None
    """Of preparation."""
    usd: PositiveFloat | None = None
    """Of what hosted models charge, for the arms that ask one."""

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if (self.trials, self.minutes, self.usd) == (None, None, None):
            raise ValueError("gives no limit")
        return self


WRITE_EFFORT = "write none, {trials: 12}, {minutes: 20} or, of hosted models, {usd: 2}"


def _shape(value: Any) -> str | None:
    if isinstance(value, dict | Effort):
        return "dict[]"
    return "str[]" if isinstance(value, str) else None


EffortOrNone = Annotated[
    Annotated[Literal["none"], Tag("str[]")] | Annotated[Effort, Tag("dict[]")],
    Discriminator(
        _shape,
        custom_error_type="effort",
        custom_error_message="must be none, or a mapping of trials, minutes or usd",
    ),
]


@dataclass(frozen=True)
class Search:
    """What one arm may spend on choosing its parameters, and which those are."""

    family: str
    sharing: int
    """Arms of the family that share its effort, this one among them."""
    space: tuple[Dimension, ...]
    effort: Mapping[str, float]
    """The family's, as the task file gives it."""
    trials: int
    """At the most, the defaults among them."""
    seconds: float | None = None
    usd: float | None = None

    def decides(self) -> dict[str, Any]:
        """Return what decides which parameters are chosen, for the fit's identity."""
        return asdict(self)


@dataclass(frozen=True)
class Searchable:
    """An arm that has parameters to choose."""

    name: str
    family: str
    space: tuple[Dimension, ...]
    hosted: bool
    """It asks a hosted model."""
    priced: bool = True
    """It is known what that charges."""


def shared_out(effort: Effort, arms: Sequence[Searchable]) -> dict[str, Search]:
    """Return what each arm may spend: an equal share of its family's effort.

    Trials that cannot be shared evenly go to the first arms of a family; each has at least one,
    its defaults.
    """
    families: dict[str, list[Searchable]] = defaultdict(list)
    for arm in arms:
        families[arm.family].append(arm)
    found = {}
    for arm in arms:
        sharing = families[arm.family]
        each, left = divmod(effort.trials or MOST_TRIALS, len(sharing))
        found[arm.name] = Search(
            family=arm.family,
            sharing=len(sharing),
            space=arm.space,
            effort=effort.model_dump(exclude_none=True),
            trials=max(1, each + (sharing.index(arm) < left)),
            seconds=effort.minutes and 60 * effort.minutes / len(sharing),
            usd=effort.usd / len(sharing) if effort.usd and arm.hosted else None,
        )
    return found


def faults(effort: Effort, arms: Sequence[Searchable]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an effort for these arms, each with its remedy."""
    if effort.usd is None:
        return
    if not any(arm.hosted for arm in arms):
        what = "no arm that has parameters to choose asks a hosted model"
        yield f"usd ({effort.usd:g}): {what}", "write minutes or trials"
        return
    here = [arm.name for arm in arms if not arm.hosted]
    if here and effort.minutes is None and effort.trials is None:
        what = f"money says nothing of arms whose model runs here ({', '.join(here)})"
        yield f"usd ({effort.usd:g}): {what}", "write minutes or trials beside it"
    unknown = [arm.name for arm in arms if arm.hosted and not arm.priced]
    if unknown:
        what = f"what the model of {', '.join(unknown)} charges is not known"
        fix = "give the model its token prices, or write minutes or trials in place of usd"
        yield f"usd ({effort.usd:g}): {what}", fix


def remarks(effort: Effort, arms: Sequence[Searchable], validation_n: int) -> Iterator[str]:
    """Yield what is worth saying of an effort before a run, in sentences."""
    if not arms:
        yield "effort: no arm has a parameter left to choose, so all have those that are given"
        return
    if not validation_n:
        yield "effort: there are no validation rows to choose on, so every arm has its defaults"
        return
    for arm, search in shared_out(effort, arms).items():
        if search.trials == 1:
            yield (
                f"effort.trials ({effort.trials}) leaves {arm} its defaults alone: its family has"
                f" {search.sharing} arms that share them → raise it to try anything else"
            )
