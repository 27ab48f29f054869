"""Run folder → Comparison: read it, result of each arm, verdict, what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from harness.analysis.analysis import Analysis, RowsAsked
from harness.analysis.read_run import read_run
from harness.analysis.schema.comparison import Comparison
from harness.analysis.schema.examples import Shown
from harness.analysis.seal_check import not_as_sealed
from harness.prices import Prices
from harness.store.machine import Machine
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder


def analyse(folder: RunFolder, prices: Prices | None = None, trust: bool = False) -> Comparison:
    """Analyse the newest run of a folder, see `analysis_of`."""
    return analysis_of(folder, prices, trust).comparison()


def analysis_of(
    folder: RunFolder,
    prices: Prices | None = None,
    trust: bool = False,
    shown: Shown | None = None,
) -> Analysis:
    """Return the analysis of the newest run of a folder.

    Args:
        folder: with the records.
        prices: to use in place of those that stood when it was run.
        trust: run the files of the task's own metrics, see `read_run`.
        shown: what is shown of single rows, in place of what the task says.
    """
    run = read_run(folder, trust)
    sealed = _applied(run.header, run.machines, None)
    applied = _applied(run.header, run.machines, prices)
    differs = not_as_sealed(folder, run.header, other_prices=applied != sealed)
    return Analysis(run.priced(applied), applied, tuple(differs), RowsAsked(folder, shown))


def stale_prices(folder: RunFolder, prices: Prices | None, today: date) -> Iterator[str]:
    """Say of each price that applies to the newest run that it was read more than a year ago.

    Args:
        folder: with the records.
        prices: to use in place of those that stood when it was run.
        today: which no report holds: the same records and prices give the same report.
    """
    header, trials = folder.last_header(), folder.trials().values()
    machines = [header.machine, *(on.machine for trial in trials for on in trial.hardware)]
    yield from _applied(header, machines, prices).stale(today, "ago")


def _applied(header: RunHeader, machines: list[Machine], prices: Prices | None) -> Prices:
    """Return the rows that apply to a run, of these or else of those that stood when it was run."""
    if prices is None:
        prices = Prices.model_validate(header.prices or {})
    return prices.used(machines, header.models.values())
