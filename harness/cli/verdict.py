"""A run folder's report: written from what is on record, and what its verdict means to a caller."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from harness.cli.exit_codes import NO_RESULT, OK
from harness.errors import UserError
from harness.files.atomic import atomic_write, replace_together
from harness.files.removal import remove

if TYPE_CHECKING:
    from harness.analysis import Comparison, Shown
    from harness.prices import Prices
    from harness.store.run_folder import RunFolder


class View(NamedTuple):
    """How single rows stand in a report."""

    shown: Shown | None = None
    """None: as the task says."""
    single_file: bool = False
    """Their texts stand in report.html, however many there are."""


def view_of(arguments: argparse.Namespace) -> View:
    """Return how a command line wants single rows to stand in a report."""
    shown: Shown | None = 12 if arguments.examples == "12" else arguments.examples
    return View(shown, arguments.single_file)


def analysed(
    folder: RunFolder, prices: Prices | None, trust: bool = False, view: View | None = None
) -> Comparison:
    """Analyse a run folder, and write its reports into it together.

    They are comparison.json, row_scores.jsonl, report.md and report.html; of many rows their texts
    too, into a folder of this report's own, so that no page ever reads those of another.
    """
    from harness.analysis import analysis_of
    from harness.store.checksum import with_checksum
    from harness.store.run_folder import as_jsonl
    from reports import Browser, html, markdown, plot_files

    folder.check_places()
    view = view or View()
    analysis = analysis_of(folder, prices, trust, view.shown)
    comparison, shown = analysis.comparison(), analysis.rows_shown
    text = with_checksum(comparison.model_dump_json(indent=1, exclude={"sha256"})) + "\n"
    rows = shown.all if shown else None
    browser = None if rows is None else Browser(rows, view.single_file)
    _write_texts(folder, {**plot_files(comparison), **(browser.files if browser else {})})
    reports = {
        folder.row_scores: "".join(as_jsonl(shown.scores if shown else ())),
        folder.report_md: markdown(comparison),
        folder.report_html: html(comparison, browser),
    }
    replace_together((folder.comparison, text), reports)
    _forget_texts(folder, browser.folder if browser and browser.files else "")
    return comparison


def _write_texts(folder: RunFolder, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = folder.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, text, durable=False)


def _forget_texts(folder: RunFolder, kept: str) -> None:
    """Delete the texts of earlier reports, when no page reads them any more."""
    for place in folder.report_data.glob("*"):
        if place != folder.path / kept:
            remove(place)
    if not kept:
        remove(folder.report_data)


def verdict_code(comparison: Comparison, gate: bool) -> int:
    """Return the exit code of a finished report; `gate`: an arm that meets every limit is asked."""
    if all(arm.status != "ok" for arm in comparison.arms):
        return NO_RESULT
    choice = comparison.recommendation.choice
    chosen = next((arm for arm in comparison.arms if arm.strategy == choice), None)
    # The rule chooses no arm that misses a limit; a gate does not rest on that alone.
    return NO_RESULT if gate and (chosen is None or chosen.misses) else OK


def chosen_arm(folder: RunFolder) -> str:
    """Return the arm that a folder's verdict chose.

    Raises:
        UserError: there is no verdict, it was changed, or it chose no arm.
    """
    from harness.store.checksum import checked

    if not folder.comparison.is_file():
        raise UserError(f"{folder.path} has no verdict yet → run the task, or name an --arm")
    try:
        choice = checked(folder.comparison.read_bytes())["recommendation"]["choice"]
    except (ValueError, KeyError, TypeError):
        again = f"write it anew: python -m harness report {folder.path}"
        raise UserError(f"{folder.comparison} is not what was written → {again}") from None
    if choice is None:
        raise UserError("the verdict chose no arm → name one with --arm")
    return str(choice)
