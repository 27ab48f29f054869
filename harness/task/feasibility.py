"""What a task asks for and its own arms, prices and limits cannot give: known before a run.

Knows nothing of data, models or machines: a run finds out what these decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness import registry
from harness.errors import Fault
from harness.files.yaml_source import Source
from harness.prices import Prices
from harness.strategy import OFFERS
from harness.task.model_spec import Hosted, hosted_ref
from harness.task.schema import Arm, TaskFile

SHOWN = 5
"""Strategies that a remedy names."""
BOUNDED = ("max_fit_memory_gib", "max_serve_memory_gib")
"""Limits on memory, which `run.memory_gib` bounds while a trial runs."""


def offered(arm: Arm, profile: registry.Profile) -> frozenset[str]:
    """Return what an arm offers; what asks a server is not offline, whatever its strategy says."""
    asks = isinstance(arm.model, Hosted) or any(
        beside.serves and not isinstance(beside.model, str) for beside in profile.beside
    )
    return profile.provides - ({"offline"} if asks else set())


def unmet_needs(
    spec: TaskFile, source: Source, arms: Sequence[Arm], profiles: Mapping[str, registry.Profile]
) -> Iterator[Fault]:
    """Yield a fault for each need that no arm offers, or for all where none offers them together.

    Args:
        spec: the task file.
        source: where its keys stand.
        arms: all arms, each found and understood.
        profiles: what each provides, by its name.
    """
    asked = {key for key in OFFERS if getattr(spec.needs, key)}
    offers = [offered(arm, profiles[arm.name]) for arm in arms]
    if not asked or any(asked <= offer for offer in offers):
        return
    missing = asked.difference(*offers)
    for key in sorted(missing):
        what, fix = "no arm of the task offers it, so none could be chosen", _remedy({key}, spec)
        if key == "offline" and all(isinstance(arm.model, Hosted) for arm in arms):
            what = "every arm asks a hosted model, and none of them works offline"
            fix = "add an arm that needs no server"
        yield Fault(source.where(["needs", key]), what, f"{fix}, or remove needs.{key}")
    if not missing:
        what = f"no arm offers {' and '.join(sorted(asked))} together, so none could be chosen"
        yield Fault(source.where(["needs"]), what, f"{_remedy(asked, spec)}, or remove one of them")


def _remedy(needs: set[str], spec: TaskFile) -> str:
    """Return what to add, with some installed strategies that would do."""
    names = [name for name in registry.names() if _would_do(name, needs, spec)]
    some = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return f"add an arm that does ({some or 'a strategy with it in its `provides`'})"


def _would_do(name: str, needs: set[str], spec: TaskFile) -> bool:
    if registry.origin_of(name, Path()) is not None:  # nobody named that code: it stays unrun
        return False
    strategy = registry.find(name)
    return needs <= strategy.provides and spec.answer.kind in strategy.answers


def doubts(
    spec: TaskFile,
    arms: Sequence[Arm],
    profiles: Mapping[str, registry.Profile],
    prices: Prices | None,
) -> Iterator[str]:
    """Yield what is worth saying of limits before a run, in sentences.

    Args:
        spec: the task file.
        arms: all arms of the task.
        profiles: each arm's, by its name.
        prices: the rows of its price file, if it names one.
    """
    yield from _out_of_bounds(spec)
    if spec.limits.max_usd_per_1k is None:
        return
    unpriced = [arm.name for arm in arms if not _may_be_priced(arm, profiles[arm.name], prices)]
    if unpriced:
        whose = "any arm" if len(unpriced) == len(arms) else ", ".join(unpriced)
        yield (
            f"limits.max_usd_per_1k: no price applies to {whose}, and an unknown cost does not meet"
            " the limit → name a file under `prices` with a machine row that has `stands_for`, or"
            " give a hosted model its token prices"
        )


def _out_of_bounds(spec: TaskFile) -> Iterator[str]:
    """Say of limits on memory that a trial is stopped before it could miss them."""
    bound = spec.run.memory_gib
    for key in BOUNDED:
        limit = getattr(spec.limits, key)
        if bound is not None and limit is not None and limit > bound:
            yield (
                f"limits.{key} ({limit:g}) is above run.memory_gib ({bound:g}): without a GPU a"
                " trial is stopped, and fails, before it can miss the limit → lower the limit or"
                " raise run.memory_gib"
            )


def _may_be_priced(arm: Arm, profile: registry.Profile, prices: Prices | None) -> bool:
    """Tell whether some price may apply; which machine a row stands for is seen when it runs."""
    if profile.replays:  # its answers bring their own charges
        return True
    if isinstance(arm.model, Hosted):
        model = hosted_ref(arm.model)
        terms = prices.priced(model) if prices else model.hosted
        return terms is not None and terms.has_prices
    return prices is not None and any(row.stands_for for row in prices.machines)
