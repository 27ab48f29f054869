"""The command `run`: arms, tables, verdict, and what to do next."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.loaded import loaded
from harness.cli.verdict import analysed, verdict_code, view_of
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.cli.terminal import Screen
    from harness.plan.target_machine import Place
    from harness.store.records import Forecast
    from harness.task import Task


def run_task(arguments: argparse.Namespace) -> int:
    """Run a task's arms, and print the table, the verdict and where the report is."""
    from harness.cli.current_scores import CurrentScores
    from harness.cli.launching import site_of
    from harness.cli.terminal import Screen
    from harness.files.temporary_folder import temporary_place
    from harness.run.folder_lock import drop_large_artifacts, opened
    from harness.run.runner import Runner
    from harness.store.finding import gravest_first
    from harness.store.run_folder import RunFolder
    from harness.task import limited
    from harness.track import TrackedRun, write_cards
    from reports.next_step import next_step

    if arguments.gate and arguments.quick:
        raise UserError("--gate asks for the verdict on all arms → leave --quick out")
    temporary_place()  # without one no arm can be given its rows
    task = loaded(arguments.task)
    screen = Screen()
    if (written := task.freeze()) is not None:
        screen.say(f"{written}: written; from now on it says which row is in which split")
    if arguments.limit is not None:
        task = limited(task, arguments.limit)
    only = [name for word in arguments.only for name in word.split(",") if name]
    out = arguments.out or Path("runs") / task.spec.name
    known: Mapping[str, Forecast] = {}
    site, place = site_of(task, arguments.on)
    if arguments.quick:
        known, only = _quick(task, only, screen, place)
    foreseen = partial(_foreseen, task, screen, known, place)
    tracked = TrackedRun(task.spec.track, RunFolder(out), task.spec.name, screen)
    runner = Runner(task, RunFolder(out), tracked, only, foreseen, site)
    with opened(out, task.spec.name, arguments.fresh) as folder:
        screen.scores = CurrentScores(task, folder)
        for finding in gravest_first(task.remarks):
            screen.say(finding.line)
        try:
            runner.run(arguments.quick)
        finally:
            screen.close()
        comparison = analysed(folder, None, view=view_of(arguments))
        choice = comparison.recommendation.choice
        drop_large_artifacts(folder, [*only, *([choice] if choice else [])])
        tracked.found(comparison)
        write_cards(folder, comparison)
    screen.say("")
    screen.show(comparison)
    screen.say("")
    step = next_step(comparison, folder.path, arguments.task)
    screen.next_step(step.command, step.text)
    screen.report(folder.report_html, folder.report_md)
    return verdict_code(comparison, arguments.gate)


def _quick(
    task: Task, only: Sequence[str], screen: Screen, place: Place | None
) -> tuple[Mapping[str, Forecast], list[str]]:
    """Forecast arms, say which a quick run leaves out, and return the forecasts and the others."""
    from harness.plan import foresee, quick_choice

    outlook = foresee(task, frozenset(only), elsewhere=False, place=place)
    choice = quick_choice(outlook)
    for line in choice.said():
        screen.say(line)
    return outlook.here, list(choice.arms)


def _foreseen(
    task: Task,
    screen: Screen,
    known: Mapping[str, Forecast],
    place: Place | None,
    arms: frozenset[str],
) -> Mapping[str, Forecast]:
    """Forecast arms where they run, as far as nobody has, and say which will not fit."""
    from harness.plan import foresee

    missing = arms - set(known)
    new = foresee(task, missing, elsewhere=False, place=place).here if missing else {}
    found = {arm: new[arm] if arm in new else known[arm] for arm in arms}
    screen.expect(found, {arm: len(task.seeds_of(arm)) for arm in found})
    for arm, forecast in found.items():
        if forecast.fits is False:
            screen.say(f"{arm} is not expected to fit: {forecast.why}")
    return found
