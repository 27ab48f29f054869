"""How it was done: criteria, warnings and notes, the words of the page, how to reproduce it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import ArmResult, Comparison
from harness.wording import numbers
from reports import criteria as told
from reports.provenance import provenance
from reports.section import Item, Items, Section, items
from reports.sections.arms import by_score, interval
from reports.words import words


def criteria(comparison: Comparison) -> Section:
    """What counts as success, and whether it still is what was sealed."""
    edited = [Item(line, strong=True) for line in comparison.not_as_sealed]
    title = "Success criteria" + ("" if edited else ", as they stood before anything ran")
    return Section(title, (items(*edited, *told.criteria(comparison.task)),))


def notes(comparison: Comparison) -> Section:
    """What the audit of data, machine and measurements found, and what arms noted."""
    lines = [Item(finding) for finding in comparison.findings]
    for row in by_score(comparison):
        lines += _of_arm(row)
    return Section("Warnings and notes", (Items(tuple(lines)),))


def glossary(comparison: Comparison) -> Section:
    """The words of the page that a reader need not know."""
    lines = tuple(Item(meaning, term=word) for word, meaning in words(comparison))
    return Section("How to read this", (Items(lines),), closed=True)


def reproduce(comparison: Comparison) -> Section:
    """All that is needed to repeat or doubt the run."""
    lines = [Item(text, term=name, code=True) for name, text in provenance(comparison)]
    for row in by_score(comparison):
        lines += [Item(f"used {model}", term=row.strategy) for model in row.models]
        lines.append(Item(_setting(row), term=row.strategy))
    return Section("Reproduce", (Items(tuple(lines)),), closed=True)


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
