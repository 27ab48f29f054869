"""Commands that look at a task before anything runs: `check` and `plan`."""

from __future__ import annotations

import argparse
import json
import shlex

from harness.cli.exit_codes import MISTAKE, OK
from harness.cli.loaded import loaded
from harness.cli.plain import complain, tell, tell_json
from harness.wording.sentences import counted


def check(arguments: argparse.Namespace) -> int:
    """Print all faults and findings of a task before it runs."""
    from harness.run.preflight import examined
    from harness.store.finding import Finding, gravest_first
    from harness.task import near_copies, near_duplicates
    from harness.task.clean_rows import write_clean
    from harness.task.deep_audit import likely_label_errors

    task = loaded(arguments.task)
    data = task.data
    tell(
        f"{arguments.task}: {data.train_n} train, {data.validation_n} validation,"
        f" {data.test_n} test rows, {len(task.arms)} arms"
    )
    deep: tuple[Finding, ...] = ()
    if arguments.deep:
        deep = near_duplicates({s.name: s for s in (task.train, task.validation, task.test)})
        deep += near_copies(task.documents)
        deep += likely_label_errors(task)
    models = examined(task)
    found = gravest_first((*task.remarks, *deep, *models.findings))
    for finding in found:
        tell(finding.line)
    if arguments.write_clean is not None:
        tell(write_clean(task, arguments.write_clean, deep if arguments.deep else None))
    for problem in models.problems:
        complain(f"error: {problem}")
    if models.problems:
        return MISTAKE
    if arguments.strict and (severe := sum(finding.severity == "severe" for finding in found)):
        are = "is" if severe == 1 else "are"
        complain(f"error: --strict, and {severe} of {counted(len(found), 'finding')} {are} severe")
        return MISTAKE
    return OK


def plan(arguments: argparse.Namespace) -> int:
    """Print forecasts of memory, time and money of every arm."""
    from harness.cli.plan_total import closing_lines, named
    from harness.cli.terminal import Screen
    from harness.plan import curve_json, curve_lines, foresee, foresee_curve
    from harness.run.preflight import examined

    task = loaded(arguments.task)
    outlook = foresee(task)  # first: it fetches the small files that are examined
    models = examined(task)
    curve = foresee_curve(task)
    if arguments.json:
        refused = {**models.refused, **models.refused_arms}
        found = {"remarks": list(models.remarks), "refused": refused, "curve": curve_json(curve)}
        tell_json(json.dumps(outlook.as_json() | found))
        return OK
    shown = named(outlook, arguments.machine, arguments.all)
    screen = Screen()
    for line in (*curve_lines(curve), *([""] if curve else [])):
        screen.say(line)
    screen.show_outlook(outlook, shown)
    for line in (*models.problems, *models.remarks, "", *closing_lines(outlook, curve, shown)):
        screen.say(line)
    run = f"python -m harness run {shlex.quote(str(arguments.task))}"
    screen.next_step(run, "all arms (--quick: what ends within three minutes)")
    return OK
