"""A run folder's report: written from what is on record, and what its verdict means to a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.exit_codes import NO_RESULT, OK
from harness.errors import UserError
from harness.files.atomic import replace_together

if TYPE_CHECKING:
    from harness.analysis import Comparison
    from harness.prices import Prices
    from harness.store.run_folder import RunFolder


def analysed(folder: RunFolder, prices: Prices | None, trust: bool = False) -> Comparison:
    """Analyse a run folder; write comparison.json, report.md and report.html into it, together."""
    from harness.analysis import analyse
    from harness.store.checksum import with_checksum
    from reports import html, markdown

    folder.check_places()
    comparison = analyse(folder, prices, trust)
    text = with_checksum(comparison.model_dump_json(indent=1, exclude={"sha256"})) + "\n"
    reports = {folder.report_md: markdown(comparison), folder.report_html: html(comparison)}
    replace_together((folder.comparison, text), reports)
    return comparison


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
