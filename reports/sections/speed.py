"""Speed and memory: latencies and peaks of every arm, and what was forecast of them."""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison, Foresight, ordered
from harness.wording import numbers
from reports.plots.forecasts import forecast_plot
from reports.plots.latency import latency_plot
from reports.plots.memory import memory_plot
from reports.section import Beside, Block, Item, Items, Section, Table, Text

HEADINGS = (
    "arm", "preparation memory", "serving memory", "preparation", "serving",
    "within 20% or 200 MB, and 35% or 5 s",
)  # fmt: skip


def speed(comparison: Comparison) -> Section | None:
    """Plots of latency and memory."""
    found = [p for p in (latency_plot(comparison), memory_plot(comparison)) if p is not None]
    if not found:
        return None
    blocks = (Beside(tuple(found)), Text(measured_note(comparison), small=True))
    finding = " ".join(plot.finding for plot in found)
    title = "Latency and memory"
    return Section("latency-and-memory", "H", title, blocks, finding, closed=True)


def forecasts(comparison: Comparison) -> Section | None:
    """What each arm was expected to take, beside what was measured."""
    foreseen = [(row, row.foresight) for row in ordered(comparison) if row.foresight]
    if not foreseen:
        return None
    note = Text(
        "Predicted / measured: the ratio of peaks; a range of time from the earliest stop to all"
        " epochs.",
        small=True,
    )
    drawn = forecast_plot(comparison)
    blocks: list[Block] = [drawn] if drawn else []
    lines = tuple(_forecast(*each) for each in foreseen)
    blocks += [note, Table(HEADINGS, lines, caption="Forecast and measured, by arm")]
    if whys := tuple(Item(found.why, term=row.strategy) for row, found in foreseen if found.why):
        blocks.append(Items(whys))
    title = "Forecasts beside what was measured"
    return Section("forecasts", "H", title, tuple(blocks), _finding(foreseen), closed=True)


def measured_note(comparison: Comparison) -> str:
    """Return how time and memory were measured."""
    note = (
        "Latency is of one request at a time: p50 and p95 with the arm's constant prompt kept in"
        " memory, cold without. Memory is the peak of the arm's own process"
    )
    if comparison.machine.gpu is not None:
        note += (
            ": main memory (RAM), and what it reserved on the GPU if it used one. A limit on memory"
            " applies to the GPU's memory if the arm used a GPU, else to main memory"
        )
    return f"{note}. {numbers.NOT_MEASURED} means not measured."


def _finding(foreseen: list[tuple[ArmResult, Foresight]]) -> str:
    known = [found.within for _, found in foreseen if found.within is not None]
    return f"{sum(known)} of {len(known)} forecasts held." if known else ""


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
