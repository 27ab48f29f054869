"""How it was done: criteria, warnings and notes, the words of the page, how to reproduce it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.analysis import ArmResult, Comparison, ordered
from harness.wording import numbers
from reports import glossary as words_of
from reports.first_screen import warning_item
from reports.section import Item, Items, Section, Table, items
from reports.sections.arms import interval
from reports.sections.costs import paid_for


def criteria(comparison: Comparison) -> Section:
    """What counts as success, and whether it still is what was sealed."""
    edited = [Item(line, strong=True) for line in comparison.not_as_sealed]
    title = "Success criteria" + ("" if edited else ", as they stood before anything ran")
    lines = list(_criteria(comparison.task))
    asked = Item(str(comparison.task["instruction"]), term="instruction")
    blocks = (items(*edited, *lines, asked),)
    return Section("criteria", "J", title, blocks, "; ".join(lines[:2]) + ".", closed=True)


RULE = (
    "Out is an arm that misses a limit or a need, or whose figure for one is unknown.",
    "Every other arm has a gap to the best of the rest, with 95% bounds for all arms together.",
    "Candidates are the arms whose gap is within the margin for certain.",
    "The choice is the cheapest candidate; costs within 5% are equal, and then it is the simplest.",
    "If a cheaper arm might be good enough but the data cannot tell, the verdict is not enough"
    " evidence; if another candidate does not differ significantly from the choice, it is a tie.",
)
"""What harness/analysis/decision/rule.py does, for a reader."""


def rule(comparison: Comparison) -> Section:
    """How the verdict follows from the figures, in five lines."""
    lines = items(*(Item(text, term=f"{at}") for at, text in enumerate(RULE, 1)))
    return Section("rule", "J", "The rule in five lines", (lines,), closed=True)


def parameters(comparison: Comparison) -> Section | None:
    """Which parameters of arms are not at their defaults: set by the task file, or chosen."""
    lines = tuple(_changed(comparison))
    if not lines:
        return None
    table = Table(("arm", "parameter", "value", "by"), lines, caption="Changed parameters")
    count = len({line[0] for line in lines})
    finding = f"{count} of {len(comparison.arms)} arms have other parameters than their defaults."
    title = "Parameters that are not at their defaults"
    return Section("parameters", "J", title, (table,), finding, closed=True)


def _changed(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield arm, parameter, value, and what set it."""
    entries = {str(entry.get("name")): entry for entry in comparison.task.get("strategies", ())}
    for row in ordered(comparison):
        written = entries.get(row.strategy, {}).get("params") or {}
        chosen = row.effort.changed if row.effort else {}
        for name in [*written, *(name for name in chosen if name not in written)]:
            by = "effort" if name in chosen else "task file"
            yield row.strategy, str(name), _listed(row.params.get(name, written.get(name))), by


def notes(comparison: Comparison) -> Section:
    """Every warning, what is found of machine and measurements, and arms' notes.

    What is found in the data stands in a section of its own (data_audit.py).
    """
    in_table = {finding.sentence for finding in comparison.audit}
    lines = [warning_item(warning) for warning in comparison.warnings]
    lines += [Item(finding) for finding in comparison.findings if finding not in in_table]
    for row in ordered(comparison):
        lines += _of_arm(row)
    finding = f"{len(comparison.warnings)} warnings, {len(lines) - len(comparison.warnings)} notes."
    title = "Warnings and notes"
    return Section("notes", "J", title, (Items(tuple(lines)),), finding, closed=True)


def glossary(comparison: Comparison) -> Section:
    """The words of the page that a reader need not know."""
    lines = tuple(Item(meaning, term=word) for word, meaning in words_of.glossary(comparison))
    return Section("glossary", "J", "How to read this", (Items(lines),), closed=True)


def reproduce(comparison: Comparison) -> Section:
    """All that is needed to repeat or doubt the run."""
    lines = [Item(text, term=name, code=True) for name, text in _provenance(comparison)]
    for row in ordered(comparison):
        lines += [Item(f"used {model}", term=row.strategy) for model in row.models]
        lines.append(Item(_setting(row), term=row.strategy))
    return Section("reproduce", "J", "Reproduce", (Items(tuple(lines)),), closed=True)


def _of_arm(row: ArmResult) -> Iterator[Item]:
    for note in row.notes:
        yield Item(note, term=row.strategy)
    if (without := row.without_leaks) is not None:
        text = (
            f"without the test rows that also stand in other splits: {numbers.score(without.value)}"
            f" ({interval(without)}, n = {without.n})"
        )
        yield Item(text, term=row.strategy)


def _setting(row: ArmResult) -> str:
    params = ", ".join(f"{key} = {value}" for key, value in row.params.items())
    seeds = ", ".join(map(str, row.seeds)) or numbers.NOT_MEASURED
    return f"{row.use} with {params or 'no parameters'}; seeds {seeds}"


def _criteria(task: Mapping[str, Any]) -> Iterator[str]:
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


def _listed(value: Any) -> str:
    """Return a value of the task file as a line of text."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _provenance(comparison: Comparison) -> list[tuple[str, str]]:
    """Return where it ran, on what and with which hashes, each by its name."""
    machine, run = comparison.machine, comparison.run
    cores = f"{machine.cores} cores, {numbers.size(machine.memory_bytes)}"
    lines = [
        ("command", run["command"]),
        ("started", run["started_at"]),
        ("machine", f"{machine.cpu_model}, {cores}, {machine.gpu or 'no GPU'}, {machine.os}"),
        ("commit", run["git_commit"] or "not under version control"),
        ("success criteria as sealed", f"sha256 {run['criteria_sha256'].removeprefix('2:')}"),
    ]
    lines += [
        ("merged from", f"{one['command']}, on {one['on']}, started {one['started_at']}")
        for one in run.get("merged", ())
    ]
    for name, model in run["models"].items():
        lines += _of_model(model, run["dtype"])
        writes = comparison.task["answer"]["kind"] != "choice" or model["hosted"]
        if writes and (room := run.get("answer_room", {}).get(name)):
            lines.append(("longest answer", _room(room)))
    lines += [(f"{name} rows", f"sha256 {h}") for name, h in run["data"]["sha256"].items()]
    packages = ", ".join(f"{name} {version}" for name, version in run["packages"].items())
    return [*lines, ("python", f"{machine.python}; {packages}")]


def _room(room: Mapping[str, Any]) -> str:
    """Return how long an answer may be, and why."""
    if room["given"]:
        why = " (max_new_tokens of the task)"
    elif room["needed"] is None:
        why = ""
    else:
        counted = ", counted by characters" if room["estimated"] else ""
        why = f" (99% of what is expected needs {room['needed']} at the most{counted})"
    return f"{room['max_new_tokens']} tokens{why}"


def _of_model(model: dict[str, Any], dtype: str) -> list[tuple[str, str]]:
    # Runs of earlier versions say nothing of a licence.
    licence = [("model licence", model["licence"])] if model.get("licence") else []
    if model["hosted"]:
        return [("model", f"{model['name']}, {model['origin']}"), *licence]
    return [
        ("model", f"{model['name']} ({model['origin']}), asked for {dtype}"),
        ("model hash", f"{model['sha256'] or model['revision']}"),
        *licence,
    ]
