"""What a terminal shows while a run goes on and when it is over.

On a terminal: colour, one line that is redrawn at most twice a second, and as many columns as fit.
Elsewhere: plain text, one thing a line, all columns, nothing wrapped or cut.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from harness.analysis import Comparison, first_warnings, trainings_text
from harness.analysis.standing import STOPPED
from harness.cli.plain import tell
from harness.cli.result_table import GAP, MARK, result_table
from harness.store.records import PlannedTrial, TrialRecord
from harness.wording import numbers
from harness.wording.visible import on_one_line

if TYPE_CHECKING:
    from harness.plan import Outlook

DOING = {
    "fit": "preparing",
    "serve": "loading, timing, answering",
    "diagnostics": "probing what tuning changed",
    "floor": "answering as its floor would, for comparison",
}

ENDED = {"ok": "done", **STOPPED}


class Screen:
    """Tells of trials as they start and end."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, emoji=False)
        self._live = self.console.is_terminal
        self._status: Status | None = None
        self._text = ""
        self._since = 0.0

    def say(self, text: str) -> None:
        """Print one line, whole, whatever stands in the text."""
        self._print(text)

    def start(self, trial: PlannedTrial, number: int, total: int, doing: str) -> None:
        """Show that a half of a trial began."""
        self._text = f"[{number}/{total}] {trial.arm}{_which(trial)}: {DOING[doing]}"
        self._since = time.monotonic()
        if not self._live:
            return
        if self._status is None:
            self._status = self.console.status("", refresh_per_second=2)
            self._status.start()
        self.tick()

    def tick(self) -> None:
        """Redraw the time that has passed."""
        if self._status is not None:
            elapsed = numbers.duration(time.monotonic() - self._since)
            self._status.update(_cell(f"{self._text}, {elapsed}"))

    def end(self, record: TrialRecord, reused: bool) -> None:
        """Print how a trial ended."""
        self.close()
        seed = _which(record)
        if reused:
            self.say(f"{record.arm}{seed}: done before, nothing it depends on has changed")
            return
        walls = [m.wall_s for half in (record.fit, record.serve) if half for m in half.measurements]
        took = numbers.duration(sum(walls)) if walls else "no time"
        why = f": {record.error}" if record.error else ""
        self.say(f"{record.arm}{seed}: {ENDED[record.status]}{why}, {took}")

    def close(self) -> None:
        """Take the live line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def show(self, comparison: Comparison) -> None:
        """Print the table and the verdict."""
        rows = result_table(comparison, self.console.width if self._live else None)
        self._table(rows, bold=[number for number, row in enumerate(rows) if row[0][:1] == MARK])
        for row in comparison.arms:
            if row.trainings is not None:
                self.say(f"- {trainings_text(row.strategy, row.trainings)}")
        found = comparison.recommendation
        self.say("")
        self._print(found.headline, style="bold")
        for reason in (*found.reasons, *comparison.not_as_sealed):
            self.say(f"- {reason}")
        shown, more = first_warnings(comparison)
        for warning in shown:
            self.say(f"{warning.name}: {warning.text}")
        if more:
            self.say(f"and {more} more in the report")
        for row in comparison.arms:
            if row.error:
                self.say(f"- {row.strategy} {STOPPED[row.status]}: {row.error}")

    def show_outlook(self, outlook: Outlook) -> None:
        """Print forecasts: a table for each machine, with what is to be said of it below."""
        from harness.cli.forecast_table import closing, sections

        for section in sections(outlook):
            self.say(section.heading)
            self._table(section.rows)
            for line in (*section.below, ""):
                self.say(line)
        for line in closing(outlook):
            self.say(line)

    def _table(self, rows: Sequence[tuple[str, ...]], bold: Sequence[int] = ()) -> None:
        """Print a table.

        Args:
            rows: the first one names the columns.
            bold: numbers of the rows that stand out on a terminal.
        """
        if self._live:
            table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
            for heading in rows[0]:
                # What is too wide goes on in the next line: a name cut short may be another's.
                table.add_column(_cell(heading), overflow="fold")
            for number, row in enumerate(rows[1:], start=1):
                table.add_row(*map(_cell, row), style="bold" if number in bold else "")
            self.console.print(table)
            return
        shown = [tuple(map(on_one_line, row)) for row in rows]
        widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
        for row in shown:
            tell((" " * GAP).join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())

    def _print(self, text: str, style: str | None = None) -> None:
        self.console.print(_cell(text), soft_wrap=True, style=style)


def _which(trial: PlannedTrial | TrialRecord) -> str:
    """Return which of an arm's trials it is, in brackets, where it is not the only or first one."""
    if trial.rows is not None:
        return f" ({trial.rows.words})"
    return f" (seed {trial.seed})" if trial.seed else ""


def _cell(text: str) -> Text:
    """Return a text that rich draws as it stands: no markup, no control character."""
    return Text(on_one_line(text))
