"""What a reader must know before the verdict is believed: the warnings of the first screen.

Each kind of warning is one function of `KINDS`. None of them changes the verdict; what stands out
without casting doubt on it is a finding (findings.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.analysis.damage import LEFT_OUT
from harness.analysis.run_data import RunData
from harness.analysis.schema.comparison import ArmResult, Comparison, Recommendation
from harness.analysis.schema.report_warning import ReportWarning, Severity
from harness.analysis.schema.scores import AnswerCounts
from harness.analysis.scoring.leakage import lead_of
from harness.store.records import PlannedTrial
from harness.wording import numbers
from harness.wording.sentences import listed

KindOfWarning = Callable[[RunData, Sequence[ArmResult], Recommendation], Iterator[ReportWarning]]
"""Yields the warnings of one kind: of the records, of what was found of each arm, and of what is
recommended."""

WORTH_A_WARNING, SEVERE = 0.05, 0.5
"""Shares of an arm's answers that say nothing: beyond the first its score is too low by as much,
beyond the second it tells how the arm was asked, and not what it can do."""


def lost_answers(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms many of whose answers are unread, cut, invalid or empty; the worst first."""
    told = []
    for arm in arms:
        if arm.answers is None:
            continue
        n, of = arm.answers.n, f"of {numbers.count(arm.answers.n)} answers"
        many = [each for each in _lost(arm.answers) if each[0] > WORTH_A_WARNING * n]
        if many:
            what = "; ".join(
                f"{numbers.count(count)} {of} {problem} ({numbers.percent(count / n)}){means}"
                for count, problem, means in many
            )
            told.append((max(many)[0] / n, arm.strategy, what))
    for share, name, what in sorted(told, key=lambda each: -each[0]):
        severity: Severity = "severe" if share > SEVERE else "warning"
        yield ReportWarning(severity=severity, text=f"{name}: {what}", arms=(name,))


def _lost(counts: AnswerCounts) -> Iterator[tuple[int, str, str]]:
    """Yield how many answers have a fault, which, and what that means. Empty ones count once."""
    if counts.unread is not None:
        yield counts.unread, "could not be read as a label", "; they score 0"
    elif counts.invalid_json is not None:
        yield counts.invalid_json, "are no JSON object", ""
    else:
        yield counts.empty or 0, "are empty", ""
    yield counts.cut or 0, "were cut at `generation: max_new_tokens`", ""


def order_decides(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms whose answers depend on the order in which the rows were asked."""
    for arm in arms:
        order = arm.diagnostics.order
        if order is not None and order.changed:
            yield ReportWarning(
                severity="severe" if 2 * order.changed >= order.asked else "warning",
                text=(
                    f"{arm.strategy}: {order.changed} of {order.asked} answers changed when the"
                    " same inputs were asked in another order; its score depends on that order"
                ),
                arms=(arm.strategy,),
            )


def below_a_floor(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms that are below what they cannot be below if they work."""
    for arm in arms:
        for floor in arm.floors:
            if floor.below and floor.difference is not None:
                change = floor.difference
                yield ReportWarning(
                    severity="severe" if change.ci_high < 0 else "warning",
                    text=(
                        f"{arm.strategy} ({numbers.score(change.after)}) is below"
                        f" {floor.description} ({numbers.score(change.before)}):"
                        f" {floor.meaning}; read its score so."
                    ),
                    arms=(arm.strategy,),
                )


def leaked_lead(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms whose lead over the best other arm is gone without the rows they may have seen.

    A lead that is smaller on fewer rows is still one: it is gone if it was significant, is so no
    more, and less than half of it is left.
    """
    data = {arm.name: arm for arm in run.finished}
    scored = [arm for arm in arms if arm.score is not None and arm.strategy in data]
    for arm in scored:
        others = [other for other in scored if other is not arm]
        if arm.leakage is None or not arm.leakage.ids or not others:
            continue
        rival = max(others, key=lambda other: (other.score and other.score.value) or 0.0)
        pair = data[arm.strategy], data[rival.strategy]
        whole = lead_of(run, *pair, frozenset())
        if whole is None or whole.low <= 0:
            continue
        rest = lead_of(run, *pair, frozenset(arm.leakage.ids))
        if rest is not None and (rest.low > 0 or 2 * rest.value >= whole.value):
            continue
        left = "no row is left" if rest is None else f"it is {numbers.points(rest.value)}"
        yield ReportWarning(
            severity="severe",
            text=(
                f"{arm.strategy} leads {rival.strategy} by {numbers.points(whole.value)} on all"
                f" test rows; without the {len(arm.leakage.ids)} that stand in what it may use,"
                f" {left} → take these rows out of what it learns from, and run again"
            ),
            arms=(arm.strategy,),
        )


def choice_within_noise(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms whose validation rows cannot tell other parameters from the defaults."""
    for arm in arms:
        effort = arm.effort
        if effort is None or not effort.close or effort.lead is None or effort.lead_se is None:
            continue
        kept = "has its defaults" if not effort.changed else "has others than its defaults"
        yield ReportWarning(
            severity="warning",
            text=(
                f"{arm.strategy} {kept}: the best of {len(effort.tried) - 1} others differs from"
                f" them by {effort.lead:+.3f} on {effort.rows} validation rows, less than one"
                f" standard error ({effort.lead_se:.3f}); more validation rows could tell"
            ),
            arms=(arm.strategy,),
        )


def unsteady_trainings(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms whose trainings differ by more than is allowed.

    Where a verdict would rest on one, it says so itself.
    """
    for arm in arms:
        each = arm.trainings
        if each is None or not each.unsteady or arm.strategy in found.unsteady:
            continue
        low, high = map(numbers.score, each.range)
        allowed = numbers.points(each.allowed)
        more_than = f"the margin is {allowed}" if each.by_margin else f"allowed are {allowed}"
        same = "; with each of them the verdict is the same" if found.choice else ""
        yield ReportWarning(
            severity="warning",
            text=(
                f"{arm.strategy} is unsteady: its {len(each.each)} trainings score {low} to {high}"
                f" (SD {numbers.points(each.spread)}; {more_than}){same}"
            ),
            arms=(arm.strategy,),
        )


def damaged_files(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of files that are not what was recorded of them; gravely, if an arm is left out."""
    for line in run.damage:
        severity: Severity = "severe" if LEFT_OUT in line else "warning"
        yield ReportWarning(severity=severity, text=line)


def two_answers(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms that two merged runs did with different answers: only one's are in any score."""
    names = {plan.trial_id: plan.arm for plan in (*run.header.trials, *run.header.curve)}
    for told in run.two_answers:
        arm = (names[told.trial_id],) if told.trial_id in names else ()
        yield ReportWarning(severity="warning", text=told.text, arms=arm)


def arms_left_out(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> Iterator[ReportWarning]:
    """Warn of arms that the command left out: the verdict is on the others alone."""
    names = left_out(run)
    if not names:
        return
    option = "--quick" if run.header.quick else "--only"
    one = len(names) == 1
    yield ReportWarning(
        severity="warning",
        text=(
            f"{listed(names)} {'was' if one else 'were'} left out by {option}, and the verdict is"
            f" on the other arms alone → run the task without {option}: what has run is reused"
        ),
        arms=tuple(names),
    )


def left_out(run: RunData) -> list[str]:
    """Return the arms that the command did not select and that have not run before either."""
    return [arm.name for arm in run.arms if arm.status == "skipped" and _not_selected(arm.plan)]


def _not_selected(plan: PlannedTrial) -> bool:
    return not plan.selected and not plan.refused


KINDS: tuple[KindOfWarning, ...] = (
    lost_answers,
    order_decides,
    leaked_lead,
    below_a_floor,
    arms_left_out,
    two_answers,
    unsteady_trainings,
    damaged_files,
    choice_within_noise,
)
"""In the order in which equally severe warnings stand. A new kind is a function, named here."""

MOST_SHOWN = 3
"""Warnings on the first screen: more would push the table of arms off it."""


def warnings_of(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> tuple[ReportWarning, ...]:
    """Return every warning of a run, the severe ones first.

    Args:
        run: the records.
        arms: what was found of each arm.
        found: the verdict.
    """
    every = [warning for kind in KINDS for warning in kind(run, arms, found)]
    return tuple(sorted(every, key=lambda warning: warning.severity != "severe"))


def first_warnings(comparison: Comparison) -> tuple[tuple[ReportWarning, ...], int]:
    """Return the gravest warnings, as many as a first screen shows, and how many more there are."""
    shown = comparison.warnings[:MOST_SHOWN]
    return shown, len(comparison.warnings) - len(shown)
