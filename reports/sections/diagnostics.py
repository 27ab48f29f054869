"""What one score does not say: cited answers, training, robustness, calibration, forecasts."""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison, Foresight
from harness.wording import numbers
from reports import told
from reports.section import Block, Item, Items, Section, Table, Text
from reports.sections.arms import by_score


def citations(comparison: Comparison) -> Section | None:
    """The first answers of arms that name their sources."""
    lines = tuple(
        (row.strategy, *told.citation(one)) for row in by_score(comparison) for one in row.cited
    )
    if not lines:
        return None
    note = Text("The first test rows in their order, right or wrong.", small=True)
    table = Table(("arm", "question", "answer", "sources"), lines)
    return Section("Answers and the sources they name", (note, table), closed=True)


def diagnostics(comparison: Comparison) -> Section | None:
    """What training changed besides the score, robustness, and calibration."""
    ordered = by_score(comparison)
    changed = tuple(
        (row.strategy, what, figures)
        for row in told.concerned(ordered)
        for what, figures in told.forgetting(row) + told.robustness(row)
    )
    curves = [Item(told.overfitting(row), f"{row.strategy}, training curves")
              for row in told.trained(ordered)]  # fmt: skip
    sure = [Item(told.calibration(row), f"{row.strategy}, probabilities of its answers")
            for row in told.calibrated(ordered)]  # fmt: skip
    blocks: list[Block] = []
    if changed:
        blocks += [
            Text(_notes(comparison), small=True),
            Table(("arm", "what", "before → after"), changed),
        ]
    if curves or sure:
        blocks.append(Items((*curves, *sure)))
    title = "What training changed, robustness and calibration"
    return Section(title, tuple(blocks), closed=True) if blocks else None


def forecasts(comparison: Comparison) -> Section | None:
    """What each arm was expected to take, beside what was measured."""
    foreseen = [(row, row.foresight) for row in by_score(comparison) if row.foresight]
    if not foreseen:
        return None
    note = Text(
        "Predicted / measured: the ratio of peaks; a range of time from the earliest stop to all"
        " epochs.",
        small=True,
    )
    headings = (
        "arm", "preparation memory", "serving memory", "preparation", "serving",
        "within 20% or 200 MB, and 35% or 5 s",
    )  # fmt: skip
    blocks: list[Block] = [note, Table(headings, tuple(_forecast(*each) for each in foreseen))]
    if whys := tuple(Item(found.why, term=row.strategy) for row, found in foreseen if found.why):
        blocks.append(Items(whys))
    return Section("Forecasts beside what was measured", tuple(blocks), closed=True)


def _notes(comparison: Comparison) -> str:
    """Return what one must know to read these figures."""
    walls = [row.diagnostics.wall_s for row in comparison.arms if row.diagnostics.wall_s]
    note = (
        "Before → after, with the 95% interval of the change on the same items. Measured afterwards"
        f" ({numbers.duration(sum(walls))} more)."
    )
    if comparison.task["answer"]["kind"] != "choice":
        note += " An answer that copies words of the input copies typos and casing too."
    return note


def _forecast(row: ArmResult, found: Foresight) -> tuple[str, ...]:
    within = numbers.NOT_MEASURED if found.within is None else "yes" if found.within else "no"
    return (
        row.strategy,
        _peak(found.fit_peak_bytes, row.fit_peak_bytes, found.fit_peak_ratio),
        _peak(found.predict_peak_bytes, row.predict_peak_bytes, found.predict_peak_ratio),
        _wall(found.fit_wall_low_s, found.fit_wall_high_s, row.fit_wall_s),
        _wall(found.serve_wall_low_s, found.serve_wall_high_s, found.serve_wall_s),
        within,
    )


def _peak(predicted: int | None, measured: int | None, ratio: float | None) -> str:
    text = f"{numbers.size(predicted)} / {numbers.size(measured)}"
    return text if ratio is None else f"{text} ({ratio:.2f})"


def _wall(low_s: float | None, high_s: float | None, measured_s: float | None) -> str:
    return f"{numbers.span(low_s, high_s)} / {numbers.duration(measured_s)}"
