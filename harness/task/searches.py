"""Which arms of a task have parameters to choose, and what each may spend on it (effort.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from harness import registry
from harness.errors import Fault
from harness.files.yaml_source import Source
from harness.prices import Prices
from harness.search_space import Dimension
from harness.strategy import Strategy
from harness.task.effort import Effort, Search, Searchable, faults, remarks, shared_out
from harness.task.model_spec import Hosted, hosted_ref
from harness.task.schema import Arm, TaskFile
from harness.task.task_data import TaskData


def searchable(
    spec: TaskFile,
    arms: Sequence[Arm],
    strategies: Mapping[str, type[Strategy]],
    profiles: Mapping[str, registry.Profile],
    prices: Prices | None,
) -> Iterator[Searchable]:
    """Yield the arms that declare a space for a parameter which the task file does not give.

    Not those that do not give the task's kind of answer, nor any whose answers were made elsewhere.

    Args:
        spec: the task file.
        arms: all arms, each found and understood.
        strategies: each arm's class, by its name.
        profiles: what each needs and provides.
        prices: the rows of the price file, if the task names one.
    """
    for arm in arms:
        strategy, profile = strategies[arm.name], profiles[arm.name]
        space = tuple(
            one for one in registry.space(strategy, arm.params) if _is_live(strategy, arm, one)
        )
        if not space or profile.replays or spec.answer.kind not in profile.answers:
            continue
        yield Searchable(
            arm.name,
            registry.family(strategy, profile),
            space,
            isinstance(arm.model, Hosted),
            _is_priced(arm, prices),
        )


def searches_of(
    spec: TaskFile, source: Source, arms: Sequence[Searchable], read: TaskData, said: list[Fault]
) -> tuple[dict[str, Search], tuple[str, ...]]:
    """Return what each arm may spend, and what is worth saying of that.

    Args:
        spec: the task file.
        source: where its keys stand.
        arms: those that have parameters to choose.
        read: the task's rows: without validation rows nothing is chosen.
        said: what is wrong with the effort is added to these.
    """
    if not isinstance(spec.effort, Effort):
        return {}, ()
    where = source.where(["effort"])
    said.extend(Fault(where, what, fix) for what, fix in faults(spec.effort, arms))
    validation = len(read.splits["validation"])
    chosen = shared_out(spec.effort, arms) if validation else {}
    return chosen, tuple(remarks(spec.effort, arms, validation))


def _is_live(strategy: type[Strategy], arm: Arm, dimension: Dimension) -> bool:
    """Tell whether a strategy takes any other value of a parameter beside what the task gives.

    A learning rate of what is not tuned is refused, whatever it is: there is nothing to try.
    """
    others = dimension.others if dimension.values else (dimension.low, dimension.high)
    for value in others:
        given = int(value) if dimension.whole else value
        with suppress(Exception):  # a validator of somebody else's may raise anything
            strategy.Params(**{**arm.params, dimension.name: given})
            return True
    return False


def _is_priced(arm: Arm, prices: Prices | None) -> bool:
    """Tell whether it is known what a hosted model charges for what is read and written."""
    if not isinstance(arm.model, Hosted):
        return True
    model = hosted_ref(arm.model)
    terms = prices.priced(model) if prices else model.hosted
    return terms is not None and None not in (
        terms.usd_per_million_input_tokens,
        terms.usd_per_million_output_tokens,
    )
