"""What both report formats show, in the order they show it: texts ready to print.

Chooses and phrases; computes no figure that the comparison does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import (
    Comparison,
    Difference,
    Row,
    Score,
    ahead_in,
    fitting_memory,
    serving_memory,
)
from harness.wording import numbers
from reports import costs, told
from reports.criteria import criteria, paid_for
from reports.curve import Drawing
from reports.provenance import provenance
from reports.resolution import resolution
from reports.words import DOUBT, words

VERDICTS = {
    "choose": "Choose",
    "tie": "Tie",
    "not_enough_evidence": "Not enough evidence",
    "nothing_feasible": "Nothing feasible",
}


def _out_for(row: Row) -> str:
    """Return what keeps an arm out that finished, in words: the gravest of it."""
    missed = [check.key for check in row.checks if check.state == "missed"]
    if not missed:
        return "a figure is unknown"
    return "misses a limit" if any(key.startswith("limits.") for key in missed) else "misses a need"


@dataclass(frozen=True)
class View:
    """A comparison as a reader meets it."""

    comparison: Comparison

    @property
    def verdict(self) -> str:
        """The kind of verdict, in words."""
        return VERDICTS[self.comparison.recommendation.verdict]

    @property
    def rows(self) -> list[Row]:
        """Arms that finished, best score first; then those that did not."""
        rows = self.comparison.rows
        finished = [row for row in rows if row.score]
        finished.sort(key=lambda row: -(row.score.value or 0.0 if row.score else 0.0))
        return finished + [row for row in rows if not row.score]

    @property
    def chosen(self) -> Row | None:
        """The recommended arm's row."""
        choice = self.comparison.recommendation.choice
        return next((row for row in self.comparison.rows if row.strategy == choice), None)

    @property
    def slices(self) -> list[tuple[str, ...]]:
        """Of each slice: column, value, rows, the chosen arm's score, and that of who is ahead."""
        row = self.chosen
        if row is None:
            return []
        parts: list[tuple[str, ...]] = []
        for part in row.slices:
            own, ahead = part.score, ahead_in(self.comparison.rows, row, part)
            best = f"{ahead[0]} {self._scored(ahead[1])}" if ahead else "none"
            parts.append((part.column, part.value, f"{own.n}", self._scored(own), best))
        return parts

    def _scored(self, score: Score) -> str:
        if score.value is None:
            return numbers.NOT_MEASURED
        return f"{numbers.score(score.value)} ({self.interval(score)})"

    @property
    def metric(self) -> str:
        """The primary metric's name."""
        return str(self.comparison.task["metric"])

    def fitting_memory(self, row: Row) -> str:
        """An arm's peak memory while it was fitted."""
        return fitting_memory(row, self.comparison.machine)

    def serving_memory(self, row: Row) -> str:
        """An arm's peak memory while it answered."""
        return serving_memory(row, self.comparison.machine)

    @property
    def measured_note(self) -> str:
        """How time and memory in the first table were measured."""
        note = (
            "Latency is of one request at a time: p50 and p95 with the arm's constant prompt kept"
            " in memory, cold without. Memory is the peak of the arm's own process"
        )
        if self.comparison.machine.gpu is not None:
            note += (
                ": main memory (RAM), and what it reserved on the GPU where it used one. A limit on"
                " memory is held against the GPU's where one was used, else against main memory"
            )
        return f"{note}. – means not measured."

    def cost(self, row: Row) -> str:
        """An arm's cost over the horizon."""
        if row.score is None:
            return numbers.NOT_MEASURED
        if row.total_usd is None and row.cost.machine_s is not None:
            return numbers.duration(row.cost.machine_s)
        return numbers.usd(row.total_usd)

    def status(self, row: Row) -> str:
        """An arm's status; a feasible one that is chosen says so."""
        found = self.comparison.recommendation
        if row.strategy == found.choice:
            return "provisional choice" if found.provisional else "chosen"
        if row.strategy in found.tied_with:
            return "tied"
        if row.status == "ok" and row.misses:
            return _out_for(row)
        return row.status.replace("_", " ")

    def loss(self, row: Row) -> str:
        """An arm's loss to the best of the others, with its bounds."""
        loss = row.loss_to_best
        if loss.value is None or loss.low is None or loss.high is None:
            return numbers.NOT_MEASURED
        low, high = 100 * loss.low, 100 * loss.high
        return f"{100 * loss.value:+.1f} ({low:+.1f} to {high:+.1f}) against {loss.to}"

    @staticmethod
    def interval(score: Score) -> str:
        """A score's 95 % interval, marked where it is not to be trusted."""
        mark = DOUBT if score.unreliable else ""
        return numbers.interval(score.ci_low, score.ci_high) + mark

    def further(self, score: Score) -> str:
        """A further metric with its interval, or why it has none."""
        if score.value is None:
            return f"{score.metric} {numbers.NOT_MEASURED} ({score.undefined})"
        return f"{score.metric} {self._scored(score)}"

    def energy(self, row: Row) -> str | None:
        """What an arm took on the GPU, where a counter said so."""
        if row.energy_j is None:
            return None
        taken = numbers.energy(row.energy_j)
        return f"took {taken} on the GPU to fit and to answer all test rows"

    def unanswerable(self, row: Row) -> str | None:
        """What an arm does with questions that have no answer."""
        if row.unanswerable is None:
            return None
        share, n = row.unanswerable.answered_anyway, row.unanswerable.n
        return f"gave an answer to {numbers.percent(share)} of the {n} questions that have none"

    @property
    def cited(self) -> list[tuple[str, ...]]:
        """Of each arm that cites a few answers: arm, question's id, answer, sources."""
        return [(row.strategy, *told.citation(one)) for row in self.rows for one in row.cited]

    @property
    def changed(self) -> list[tuple[Row, list[tuple[str, str]]]]:
        """What tuning changed besides the score: of each arm what was asked, and its figures."""
        rows = told.concerned(self.rows)
        return [(row, told.forgetting(row) + told.robustness(row)) for row in rows]

    @property
    def changed_notes(self) -> list[str]:
        """What one must know to read those figures."""
        walls = [row.facts.wall_s for row in self.comparison.rows if row.facts.wall_s]
        notes = [
            "Before → after, with the 95 % interval of the change on the same items. Measured when"
            f" all answers were closed ({numbers.duration(sum(walls))}); in no other figure here."
        ]
        if self.comparison.task["answer"]["kind"] != "choice":
            notes.append("An answer that copies words of the input copies typos and casing too.")
        return notes

    @property
    def curves(self) -> list[tuple[str, str]]:
        """What the training curves of each arm show."""
        return [(row.strategy, told.overfitting(row)) for row in told.trained(self.rows)]

    @property
    def calibration(self) -> list[tuple[str, str]]:
        """How far the probabilities of each arm can be believed."""
        return [(row.strategy, told.calibration(row)) for row in told.calibrated(self.rows)]

    def difference(self, difference: Difference) -> str:
        """An arm's difference to the chosen one."""
        low, high = 100 * difference.ci_low, 100 * difference.ci_high
        exact = "" if difference.mcnemar_p is None else f"; {numbers.p_value(difference.mcnemar_p)}"
        return f"{100 * difference.value:+.1f} ({low:+.1f} to {high:+.1f}){exact}"

    @property
    def mcnemar_note(self) -> str | None:
        """What the p-values beside differences are, where there are some."""
        if all(d.mcnemar_p is None for d in self.comparison.differences):
            return None
        return "p is of the exact McNemar test, a footnote: the verdict does not use it."

    @property
    def resolution(self) -> list[str]:
        """How finely the test set tells the leading arms apart, in sentences."""
        return list(resolution(self.comparison))

    @property
    def unchanged(self) -> str:
        """What was tried, where nothing of it would change the choice."""
        tried = self.comparison.recommendation.tried
        if tried is None:
            return "Nothing that was tried."
        if not tried:
            return (
                "Nothing could be tried: no limit, price, traffic or other arm is there to change."
            )
        return f"Nothing that was tried: {', '.join(tried)}."

    @property
    def foreseen(self) -> list[Row]:
        """Arms that a forecast was made for."""
        return [row for row in self.rows if row.foresight]

    def peak(self, predicted: int | None, measured: int | None, ratio: float | None) -> str:
        """A predicted peak beside the measured one."""
        text = f"{numbers.size(predicted)} / {numbers.size(measured)}"
        return text if ratio is None else f"{text} ({ratio:.2f})"

    def wall(self, low_s: float | None, high_s: float | None, measured_s: float | None) -> str:
        """A range of time beside what was measured."""
        return f"{numbers.span(low_s, high_s)} / {numbers.duration(measured_s)}"

    @property
    def criteria(self) -> list[str]:
        """The success criteria as they stood before anything ran."""
        return list(criteria(self.comparison.task))

    @property
    def serving(self) -> str:
        """What is paid for when requests are served."""
        return paid_for(self.comparison.task["traffic"])

    @property
    def drawing(self) -> Drawing | None:
        """Total cost against volume, laid out to be drawn."""
        curve = self.comparison.cost_curve
        return Drawing(curve) if curve and curve.lines else None

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """Everything needed to repeat or doubt the run."""
        return provenance(self.comparison)

    @property
    def words(self) -> list[tuple[str, str]]:
        """The words that a reader need not know, and what they mean here."""
        return list(words(self.comparison))

    @property
    def not_counted(self) -> list[str]:
        """Parts of the cost that nobody gave figures for, each once, and of which arms."""
        return costs.not_counted(self.rows)

    @property
    def costs(self) -> list[tuple[str, ...]]:
        """What each arm's cost is made of, a line of cells an arm."""
        return costs.table(self.rows)

    @property
    def cost_headings(self) -> tuple[str, ...]:
        """What those cells are."""
        return costs.HEADINGS

    @property
    def cost_notes(self) -> str:
        """What one must know to read them."""
        return costs.notes(self.comparison, self.serving)

    def bar(self, row: Row) -> dict[str, float] | None:
        """Positions in per cent of an arm's score and interval on a scale from 0 to 1."""
        score = row.score
        if score is None or score.value is None or score.ci_low is None or score.ci_high is None:
            return None
        low, high = 100 * max(0.0, score.ci_low), 100 * min(1.0, score.ci_high)
        return {"low": low, "width": max(high - low, 0.5), "at": 100 * score.value}
