"""Everything needed to repeat or doubt a run, by name: where it ran, on what, with which hashes."""

from __future__ import annotations

from typing import Any

from harness.analysis import Comparison
from harness.wording import numbers


def provenance(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the name and the text of each fact."""
    machine, run = comparison.machine, comparison.run
    cores = f"{machine.cores} cores, {numbers.size(machine.memory_bytes)}"
    facts = [
        ("command", run["command"]),
        ("started", run["started_at"]),
        ("machine", f"{machine.cpu_model}, {cores}, {machine.gpu or 'no GPU'}, {machine.os}"),
        ("commit", run["git_commit"] or "not under version control"),
        ("success criteria as sealed", f"sha256 {run['criteria_sha256']}"),
    ]
    for model in run["models"].values():
        facts += _model_facts(model, run["dtype"])
    facts += [(f"{name} rows", f"sha256 {h}") for name, h in run["data"]["sha256"].items()]
    packages = ", ".join(f"{name} {version}" for name, version in run["packages"].items())
    return [*facts, ("python", f"{machine.python}; {packages}")]


def _model_facts(model: dict[str, Any], dtype: str) -> list[tuple[str, str]]:
    # Runs of earlier versions say nothing of a licence.
    licence = [("model licence", model["licence"])] if model.get("licence") else []
    if model["hosted"]:
        return [("model", f"{model['name']}, {model['origin']}"), *licence]
    return [
        ("model", f"{model['name']} ({model['origin']}), asked for {dtype}"),
        ("model hash", f"{model['sha256'] or model['revision']}"),
        *licence,
    ]
