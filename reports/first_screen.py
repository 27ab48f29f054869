"""What stands on a report's first screen: whose verdict, the verdict, its figures, its caveats.

Assembles; each part is a function of a comparison. What is not known is left out or said so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from harness.analysis import ArmResult, Comparison, ReportWarning, ahead_in, first_warnings, ordered
from harness.wording import numbers
from reports.next_step import NextStep, next_step
from reports.plain_sentence import plain_sentence
from reports.plots.differences import differences_plot
from reports.plots.score_against import score_against
from reports.section import Beside, Block, Item
from reports.tiles import Tile, tiles
from reports.verdicts import badge

MOST_CAVEATS = 3
"""Warnings on the first screen: more would push the plots off it."""


@dataclass(frozen=True)
class FirstScreen:
    """All of it, in reading order."""

    about: tuple[str, ...]
    """Task, rows, date, model with its size, machine."""
    badge: str
    headline: str
    sentence: str
    tiles: tuple[Tile, ...]
    caveats: tuple[Item, ...]
    more: int
    """Further warnings, under "Warnings and notes"."""
    next: NextStep
    plots: tuple[Block, ...]


def first_screen(comparison: Comparison) -> FirstScreen:
    """Return the first screen of a comparison."""
    found = comparison.recommendation
    of = subject(comparison)
    caveats, more = _caveats(comparison, of)
    return FirstScreen(
        about=tuple(_about(comparison)),
        badge=badge(comparison),
        headline=found.headline,
        sentence=plain_sentence(comparison, of) if of else "",
        tiles=tiles(comparison, of) if of else (),
        caveats=caveats,
        more=more,
        next=next_step(comparison),
        plots=first_plots(comparison),
    )


def subject(comparison: Comparison) -> ArmResult | None:
    """Return the arm whose figures the first screen shows: the choice, else the best in order."""
    finished = [row for row in ordered(comparison) if row.score]
    chosen = [row for row in finished if row.strategy == comparison.recommendation.choice]
    return next(iter([*chosen, *finished]), None)


def first_plots(comparison: Comparison) -> tuple[Block, ...]:
    """Return plots A and B, beside each other where there are both."""
    found = (score_against(comparison), differences_plot(comparison))
    blocks = tuple(block for block in found if block is not None)
    return (Beside(blocks),) if blocks else ()


def warning_item(warning: ReportWarning) -> Item:
    """Return a warning as one line of a list."""
    return Item(warning.text, term=warning.name)


def weak_spot(comparison: Comparison, of: ArmResult | None) -> Item | None:
    """Return in which slice an arm does worst, where another arm is ahead of it there."""
    worst = of.worst_slice if of else None
    if of is None or worst is None or worst.score.value is None:
        return None
    ahead = ahead_in(comparison.arms, of, worst)
    if ahead is None or ahead[1].value is None:
        return None
    text = (
        f"{of.strategy} is weakest where {worst.column} is {worst.value}:"
        f" {worst.score.value:.2f} on {worst.score.n} rows; {ahead[0]} scores"
        f" {ahead[1].value:.2f} there."
    )
    return Item(text, term="Weak spot")


def _caveats(comparison: Comparison, of: ArmResult | None) -> tuple[tuple[Item, ...], int]:
    """Return the gravest warnings, the weak spot always among them, and how many more there are."""
    warnings, _ = first_warnings(comparison)
    spot = weak_spot(comparison, of)
    shown = warnings[: MOST_CAVEATS - (spot is not None)]
    severe = [warning_item(one) for one in shown if one.severity == "severe"]
    others = [warning_item(one) for one in shown if one.severity != "severe"]
    edited = [Item(line, term="Not as sealed") for line in comparison.not_as_sealed[:1]]
    lines = (*edited, *severe, *([spot] if spot else []), *others)
    return lines, len(comparison.warnings) - len(shown)


def _about(comparison: Comparison) -> Iterator[str]:
    yield str(comparison.task["name"])
    yield f"{numbers.count(comparison.run['data']['test_n'])} test rows"
    yield _date(str(comparison.run["started_at"]))
    yield from map(_model, comparison.run["models"].values())
    if seeds := {len(row.seeds) for row in comparison.arms if row.tunes and row.seeds}:
        low, high = min(seeds), max(seeds)
        said = f"{low} to {high} seeds" if low < high else f"{low} seed{'s' if low > 1 else ''}"
        yield f"fine-tuning: {said}"
    machine = comparison.machine
    yield machine.gpu or f"{machine.cores} CPU cores"


def _date(started_at: str) -> str:
    try:
        when = datetime.fromisoformat(started_at)
    except ValueError:
        return started_at
    return f"{when.day} {when:%b %Y}"


def _model(model: dict[str, object]) -> str:
    """Return a model's name with its size, where that was counted."""
    parameters = model.get("parameters")
    if not isinstance(parameters, int):
        return str(model["name"])
    return f"{model['name']} ({parameter_count(parameters)} parameters)"


def parameter_count(n: int) -> str:
    """Return a number of parameters as people name models: 135M, 1.7B."""
    if n >= 10**9:
        return f"{numbers.significant(n / 1e9, 2)}B"
    return f"{n / 1e6:.0f}M" if n >= 10**7 else f"{n / 1e6:.1f}M"
