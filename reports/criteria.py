"""The success criteria of a task, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.wording import numbers


def criteria(task: Mapping[str, Any]) -> Iterator[str]:
    """Yield what counts as success and what it may cost, a line each.

    Args:
        task: the task file, resolved.
    """
    yield f"metric: {task['metric']}"
    if task["also"]:
        yield f"further metrics: {', '.join(task['also'])}"
    yield f"margin: {100 * task['margin']:g} points"
    yield from (f"limit {k}: {v:g}" for k, v in task["limits"].items() if v is not None)
    yield from (f"need {k}: {_listed(v)}" for k, v in task["needs"].items() if v)
    if traffic := task["traffic"]:
        monthly = numbers.count(traffic["requests_per_month"])
        yield (
            f"traffic: {monthly} requests a month for {traffic['months']:g} months, paying for"
            f" {paid_for(traffic)}"
        )
    yield from (f"labour {k}: {_listed(v)}" for k, v in task["labour"].items() if v)


def paid_for(traffic: Mapping[str, Any] | None) -> str:
    """Return what is paid for when requests are served."""
    if traffic and traffic["serving"] == "reserved":
        return f"machines that are always on and used to {numbers.percent(traffic['utilisation'])}"
    return "the seconds that requests take"


def _listed(value: Any) -> str:
    """Return a value of the task file as a line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
