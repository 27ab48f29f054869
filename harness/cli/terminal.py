"""What a terminal shows while a run goes on and when it is over.

On a terminal: colour, one line that is redrawn at most twice a second, text that is wrapped between
words, and as many columns as fit. Elsewhere: plain text, one thing a line, all columns, nothing
wrapped or cut. How far a run is, pace.py knows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.status import Status
from rich.style import Style
from rich.table import Table
from rich.text import Text

from harness.analysis import Comparison, History, first_warnings, trainings_text
from harness.analysis.standing import STOPPED
from harness.cli.hyperlinks import has_links
from harness.cli.pace import Moment, Pace, UnderWay, progress_line, share_done, total_line
from harness.cli.plain import tell
from harness.cli.result_table import MARK, result_table
from harness.cli.table import GAP
from harness.store.records import Forecast, PlannedTrial, TrialRecord
from harness.wording import numbers
from harness.wording.visible import on_one_line

if TYPE_CHECKING:
    from harness.cli.current_scores import CurrentScores
    from harness.plan import Outlook

DOING = {
    "fit": "preparing",
    "serve": "loading, timing, answering",
    "diagnostics": "probing what tuning changed",
    "floor": "answering as its floor would, for comparison",
}

ENDED = {"ok": "done", **STOPPED}
SPINNER = 2
"""Characters that stand before the line of progress."""
BULLET = "- "


@dataclass(frozen=True)
class _Running:
    """A trial that is under way."""

    place: str
    """Which one of how many: [3/12]."""
    arm: str
    name: str
    """The arm, with its seed or rows."""
    doing: str
    since: float | None
    """When that began; None: it waits."""
    node: str | None = None
    """Where that is done, of several machines."""

    @property
    def elapsed_s(self) -> float:
        """Since then."""
        return 0.0 if self.since is None else time.monotonic() - self.since


class Screen:
    """Tells of trials as they start and end."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, emoji=False)
        self.pace = Pace()
        self.scores: CurrentScores | None = None
        """What trials score when they end; None: nobody says."""
        self._live = self.console.is_terminal
        self._status: Status | None = None
        self._began = time.monotonic()
        self._under_way: dict[str, _Running] = {}
        """By trial id."""
        self._at_once = 1
        """The most trials that were under way at once."""

    def say(self, text: str) -> None:
        """Print one line, whatever stands in the text; on a terminal wrapped between words."""
        self._print(text)

    def next_step(self, command: str, why: str = "") -> None:
        """Print a command to give next, on a line that can be copied."""
        self.say(f"Next: {why}:" if why else "Next:")
        self._as_it_stands(Text(f"  {on_one_line(command)}"))

    def report(self, html: Path, markdown: Path) -> None:
        """Print where the report is; a terminal that has links gets one."""
        shown = Text(f"Report: {on_one_line(str(markdown))} and ")
        name = on_one_line(str(html))
        linked = self._live and has_links(os.environ)
        shown.append(name, Style(link=html.resolve().as_uri()) if linked else None)
        self._as_it_stands(shown)

    def expect(self, forecasts: Mapping[str, Forecast], trials: Mapping[str, int]) -> None:
        """Learn what is going to run: an arm's forecast, and how many trials it has."""
        self.pace.expect(forecasts, trials)

    def start(
        self, trial: PlannedTrial, number: int, total: int, doing: str, node: str | None = None
    ) -> None:
        """Show that a part of a trial began."""
        if doing == "floor":  # they are nobody's trials, and each takes the place of the last
            self._under_way.clear()
        name = f"{trial.arm}{_which(trial)}"
        began = _Running(f"[{number}/{total}]", trial.arm, name, doing, time.monotonic(), node)
        self._under_way[trial.trial_id] = began
        self._at_once = max(self._at_once, len(self._shown()))
        if not self._live:
            return
        if self._status is None:
            self._status = self.console.status("", refresh_per_second=2)
            self._status.start()
        self.tick()

    def pause(self, trial: PlannedTrial) -> None:
        """Show no longer a trial whose next part waits."""
        if (running := self._under_way.get(trial.trial_id)) is not None:
            doing = "serve" if running.doing == "fit" else "diagnostics"
            self._under_way[trial.trial_id] = replace(running, doing=doing, since=None)

    def tick(self) -> None:
        """Redraw the time that has passed."""
        if self._status is None:
            return
        width = self.console.width - SPINNER
        whole, shown = self._whole(), self._shown()
        if len(shown) == 1:
            [one] = shown
            lines = [progress_line(replace(self._moment(one), **whole), width)]
        else:
            lines = [total_line(len(shown), Moment("", "", "", 0.0, None, **whole), width)]
            lines += [progress_line(self._moment(one), width) for one in shown]
        self._status.update(Text("\n").join(map(_cell, lines)))

    def end(self, record: TrialRecord, reused: bool) -> None:
        """Print how a trial ended, with its score; after an arm's last one the arm's."""
        self._under_way.pop(record.trial_id, None)
        if not self._shown():
            self.close()
        seed = _which(record)
        said = self._scored(record)
        self.pace.ended(record.arm)
        if reused:
            self.say(f"{record.arm}{seed}: done before, nothing it depends on has changed{said}")
        else:
            halves = [half for half in (record.fit, record.serve) if half]
            walls = [m.wall_s for half in halves for m in half.measurements]
            took = numbers.duration(sum(walls)) if walls else "no time"
            why = f": {record.error}" if record.error else ""
            where = _nodes(record)
            self.say(f"{record.arm}{seed}: {ENDED[record.status]}{why}, {took}{where}{said}")
        if self.scores is not None and said and (mean := self.scores.mean_of(record.arm)):
            self.pace.scored(record.arm, mean[0])
            if mean[1] > 1:
                of = f"the mean of {mean[1]} trainings"
                self.say(f"{record.arm}: {self.scores.metric} {numbers.score(mean[0])}, {of}")

    def close(self) -> None:
        """Take the live line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def show(self, comparison: Comparison) -> None:
        """Print the table and the verdict."""
        rows = result_table(comparison, self._width)
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

    def show_outlook(self, outlook: Outlook, others: Sequence[int]) -> None:
        """Print forecasts: a table for each machine, this one last, with remarks below it."""
        from harness.cli.forecast_table import closing, sections

        for number, section in enumerate(sections(outlook, others, self._width)):
            if number:
                self.say("")
            self.say(section.heading)
            self._table(section.rows)
            for line in section.below:
                self.say(line)
        for line in closing(outlook):
            self.say(line)

    def show_history(self, history: History) -> None:
        """Print the runs of each task, the newest last, with remarks below."""
        from harness.cli.history_table import history_table, remarks

        for number, timeline in enumerate(history.timelines):
            if number:
                self.say("")
            self.say(f"{timeline.task}, {timeline.metric}:")
            rows = history_table(timeline, self._width)
            self._table(rows, bold=[at for at, row in enumerate(rows) if row[0][:1] == MARK])
            for line in remarks(timeline):
                self.say(f"{BULLET}{line}")
        for line in history.left_out:
            self.say(f"{BULLET}left out: {line}")

    @property
    def _width(self) -> int | None:
        """Characters of a line; None: there is no limit."""
        return self.console.width if self._live else None

    def _shown(self) -> list[_Running]:
        """Return the trials that are at work now."""
        return [one for one in self._under_way.values() if one.since is not None]

    def _moment(self, one: _Running) -> Moment:
        """Return what a line tells of one trial."""
        half = self.pace.half_s(one.arm, one.doing)
        doing = DOING[one.doing] if one.node is None else f"{DOING[one.doing]} on {one.node}"
        return Moment(one.place, one.name, doing, one.elapsed_s, half, None, None, None)

    def _whole(self) -> dict[str, Any]:
        """Return what is known of the whole run: its share that is done, what is left, the best."""
        under_way = [
            UnderWay(one.arm, one.doing, one.elapsed_s) for one in self._under_way.values()
        ]
        left = self.pace.left_s(under_way, self._at_once)
        share = share_done(time.monotonic() - self._began, left)
        return {"share": share, "left": left, "best": self.pace.best}

    def _scored(self, record: TrialRecord) -> str:
        """Return what a trial scored, as the end of a line; "" where nobody can say."""
        score = None if self.scores is None else self.scores.of(record)
        if self.scores is None or score is None:
            return ""
        return f", {self.scores.metric} {numbers.score(score)}"

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
        """Print one line; on a terminal it is wrapped between words, below a bullet's text."""
        if not self._live:
            self._as_it_stands(_cell(text), style)
            return
        bullet = BULLET if text.startswith(BULLET) else " " * (len(text) - len(text.lstrip()))
        body = _cell(text[len(bullet) :])
        lines = body.wrap(self.console, max(1, self.console.width - len(bullet))) or [body]
        for number, line in enumerate(lines):
            line.rstrip()
            head = bullet if number == 0 else " " * len(bullet)
            self._as_it_stands(Text(head).append_text(line), style)

    def _as_it_stands(self, text: Text, style: str | None = None) -> None:
        self.console.print(text, soft_wrap=True, style=style)


def _which(trial: PlannedTrial | TrialRecord) -> str:
    """Return which of an arm's trials it is, in brackets, where it is not the only or first one."""
    if trial.rows is not None:
        return f" ({trial.rows.words})"
    return f" (seed {trial.seed})" if trial.seed else ""


def _nodes(record: TrialRecord) -> str:
    """Return on which machines of several a trial was run, as a part of a line."""
    names = dict.fromkeys(on.node for on in record.hardware if on.node is not None)
    return f" on {' and '.join(names)}" if names else ""


def _cell(text: str) -> Text:
    """Return a text that rich draws as it stands: no markup, no control character."""
    return Text(on_one_line(text))
