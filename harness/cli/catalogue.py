"""What is available: strategies (plugins included), metrics and built-in models."""

from __future__ import annotations

from dataclasses import dataclass

from harness import metrics, registry
from harness.errors import HarnessError
from harness.lm.loading.builtin_model import BUILT_IN


@dataclass(frozen=True)
class Entry:
    """One available thing."""

    kind: str
    name: str
    summary: str


def entries(kind: str | None = None) -> list[Entry]:
    """Return what is available, of one kind ("strategies", "metrics", "models") or of all."""
    found = {
        "strategies": [Entry("strategy", name, _summary(name)) for name in registry.names()],
        "metrics": [Entry("metric", name, metrics.find(name).summary) for name in metrics.names()],
        "models": [Entry("model", name, model.origin) for name, model in sorted(BUILT_IN.items())],
    }
    return [entry for each in (found.values() if kind is None else [found[kind]]) for entry in each]


def _summary(name: str) -> str:
    try:
        return (registry.find(name).__doc__ or "").strip().split("\n")[0]
    except HarnessError as problem:
        return f"cannot be used: {problem}"
