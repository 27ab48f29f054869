"""The command line: reads words, calls the packages that do the work, prints, returns a code.

0 done · 2 the user's mistake · 3 no arm finished, or --gate and the choice misses a criterion ·
130 interrupted. A command imports what it needs, so that the others stay quick.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.exit_codes import INTERRUPTED, MISTAKE, OK
from harness.cli.parser import parsed
from harness.cli.plain import complain, tell, tell_json
from harness.cli.verdict import analysed, chosen_arm, verdict_code
from harness.errors import HarnessError, UserError
from harness.files.refusals import is_refusal, words_of

if TYPE_CHECKING:
    from harness.cli.terminal import Screen
    from harness.store.records import Forecast
    from harness.store.run_folder import RunFolder
    from harness.task import Task


def run_command(words: Sequence[str]) -> int:
    """Run one command.

    Args:
        words: the command line without the program's name.

    Returns:
        The exit code.
    """
    if odd := next(filter(_not_text, (*words, os.getcwd())), None):
        shown = os.fsencode(odd).decode("utf-8", "backslashreplace")
        complain(f"error: {shown}: is not UTF-8 text → rename the file or folder")
        return MISTAKE
    arguments = parsed(words)
    command = COMMANDS[arguments.command]
    with suppress(ValueError):  # not the main thread: whoever runs us there handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as tidily as on Ctrl-C
    try:
        return command(arguments)
    except HarnessError as problem:
        complain(f"error: {problem}" if "\n" not in str(problem) else str(problem))
        return MISTAKE
    except SystemExit as leaving:  # raised by a task's own code, and 0 would say that all is well
        complain(f"error: code of the task ended the command ({leaving!r})")
        return MISTAKE
    except KeyboardInterrupt:
        complain("interrupted; what finished stays and is reused")
        return INTERRUPTED
    except OSError as problem:
        if not is_refusal(problem):
            raise
        complain(f"error: {words_of(problem)}")
        return MISTAKE


def _not_text(word: str) -> bool:
    """Tell whether a name holds bytes that are no UTF-8: records could not name it."""
    return not word.isascii() and bool(re.search("[\ud800-\udfff]", word))


def _run(arguments: argparse.Namespace) -> int:
    from harness.cli.terminal import Screen
    from harness.files.temporary_folder import temporary_place
    from harness.run import Runner, drop_large_artifacts, opened
    from harness.store.finding import gravest_first
    from harness.store.run_folder import RunFolder
    from harness.task import limited

    if arguments.gate and arguments.quick:
        raise UserError("--gate asks for the verdict on all arms → leave --quick out")
    temporary_place()  # without one no arm can be given its rows
    task = _loaded(arguments.task)
    screen = Screen()
    if (written := task.freeze()) is not None:
        screen.say(f"{written}: written; from now on it says which row is in which split")
    if arguments.limit is not None:
        task = limited(task, arguments.limit)
    only = [name for word in arguments.only for name in word.split(",") if name]
    out = arguments.out or Path("runs") / task.spec.name
    known: Mapping[str, Forecast] = {}
    if arguments.quick:
        known, only = _quick(task, only, screen)
    foreseen = partial(_foreseen, task, screen, known)
    runner = Runner(task, RunFolder(out), screen, only, foreseen)
    with opened(out, task.spec.name, arguments.fresh) as folder:
        for finding in gravest_first(task.remarks):
            screen.say(finding.line)
        try:
            runner.run(arguments.quick)
        finally:
            screen.close()
        comparison = analysed(folder, None)
        choice = comparison.recommendation.choice
        drop_large_artifacts(folder, [*only, *([choice] if choice else [])])
    screen.say("")
    screen.show(comparison)
    screen.say("")
    screen.say(f"Report: {folder.report_md} and {folder.report_html}")
    return verdict_code(comparison, arguments.gate)


def _loaded(path: Path) -> Task:
    """Load a task; its own code is named, and tried in a process of its own, before it is run."""
    from harness.task import load_task
    from harness.task.code_check import CodeCheck

    return load_task(path, CodeCheck(complain))


def _quick(
    task: Task, only: Sequence[str], screen: Screen
) -> tuple[Mapping[str, Forecast], list[str]]:
    """Forecast arms, say which a quick run leaves out, and return the forecasts and the others."""
    from harness.plan import foresee, quick_choice

    outlook = foresee(task, frozenset(only), elsewhere=False)
    choice = quick_choice(outlook)
    for line in choice.said():
        screen.say(line)
    return outlook.here, list(choice.arms)


def _foreseen(
    task: Task, screen: Screen, known: Mapping[str, Forecast], arms: frozenset[str]
) -> Mapping[str, Forecast]:
    """Forecast arms on this machine, as far as nobody has, and say which will not fit."""
    from harness.plan import foresee

    missing = arms - set(known)
    new = foresee(task, missing, elsewhere=False).here if missing else {}
    found = {arm: new[arm] if arm in new else known[arm] for arm in arms}
    for arm, forecast in found.items():
        if forecast.fits is False:
            screen.say(f"{arm} is not expected to fit: {forecast.why}")
    return found


def _report(arguments: argparse.Namespace) -> int:
    from harness.analysis import stale_prices
    from harness.cli.terminal import Screen
    from harness.prices import read_prices
    from harness.store.run_folder import RunFolder

    prices = read_prices(arguments.prices) if arguments.prices else None
    folder = RunFolder(arguments.folder)
    screen = Screen()
    _tell_metrics(folder, arguments.trust)
    screen.show(analysed(folder, prices, arguments.trust))
    for line in stale_prices(folder, prices, date.today()):
        screen.say(f"- {line}")
    screen.say("")
    screen.say(f"Report: {folder.report_md} and {folder.report_html}")
    return OK


def _compare(arguments: argparse.Namespace) -> int:
    from harness.analysis import compare
    from harness.store.run_folder import RunFolder

    folders = RunFolder(arguments.first), RunFolder(arguments.second)
    for folder in folders:
        _tell_metrics(folder, arguments.trust)
    for line in compare(*folders, arguments.trust):
        tell(line)
    return OK


def _tell_metrics(folder: RunFolder, trust: bool) -> None:
    """Name the files that a report is going to run, where the user trusts them."""
    from harness.files.python_file import names_file, path_of

    if not trust:
        return
    header = folder.last_header()
    base = Path(header.task_folder) if header.task_folder else None
    for name in map(str, (header.task.get("metric"), *(header.task.get("also") or ()))):
        if names_file(name):
            complain(f"trusted: runs {path_of(name, base)}")


def _check(arguments: argparse.Namespace) -> int:
    from harness.run.preflight import examined
    from harness.store.finding import Finding, gravest_first
    from harness.task import near_copies, near_duplicates
    from harness.task.clean_rows import write_clean
    from harness.task.deep_audit import likely_label_errors

    task = _loaded(arguments.task)
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
    of_models = (Finding.of_sentence(said, "model") for said in models.remarks)
    found = gravest_first((*task.remarks, *deep, *of_models))
    for finding in found:
        tell(finding.line)
    if arguments.write_clean is not None:
        tell(write_clean(task, arguments.write_clean, deep if arguments.deep else None))
    for problem in models.problems:
        complain(f"error: {problem}")
    if models.problems:
        return MISTAKE
    if arguments.strict and (severe := sum(finding.severity == "severe" for finding in found)):
        complain(f"error: --strict, and {severe} of {len(found)} findings are severe")
        return MISTAKE
    return OK


def _plan(arguments: argparse.Namespace) -> int:
    from harness.cli.terminal import Screen
    from harness.plan import curve_json, curve_lines, foresee, foresee_curve
    from harness.run.preflight import examined

    task = _loaded(arguments.task)
    outlook = foresee(task)  # first: it fetches the small files that are examined
    models = examined(task)
    curve = foresee_curve(task)
    if arguments.json:
        refused = {**models.refused, **models.refused_arms}
        found = {"remarks": list(models.remarks), "refused": refused, "curve": curve_json(curve)}
        tell_json(json.dumps(outlook.as_json() | found))
        return OK
    screen = Screen()
    for line in curve_lines(curve):
        screen.say(line)
    if curve:
        screen.say("")
    screen.show_outlook(outlook)
    for line in (*models.problems, *models.remarks):
        screen.say(line)
    return OK


def _predict(arguments: argparse.Namespace) -> int:
    from harness.run import Leave, answer_with
    from harness.store.run_folder import RunFolder
    from harness.task import read_inputs

    folder = RunFolder(arguments.folder)
    arm = arguments.arm or chosen_arm(folder)
    queries = read_inputs(arguments.file, folder.last_header().task.get("data") or {})
    leave = Leave(arguments.trust, arguments.base_url, arguments.key_env)
    if leave.key_env is not None and leave.base_url is None:
        raise UserError("--key-env goes with --base-url → name the server that gets the key")
    answers = answer_with(folder, arm, queries, leave, complain)
    for query, prediction in zip(queries, answers, strict=True):
        if arguments.json:
            row: dict[str, Any] = {"id": query.id, "text": prediction.text}
            for name in ("error", "label_logprobs", "sources"):
                row[name] = getattr(prediction, name)
            tell_json(json.dumps(row, ensure_ascii=False))
        elif prediction.error:
            complain(f"error: {query.id}: {prediction.error}")
            tell()
        else:
            tell(" ".join(prediction.text.split("\n")))
    return OK


def _record(arguments: argparse.Namespace) -> int:
    from harness.cli.recording import recorded
    from harness.run.record import Request
    from harness.task import limited

    if arguments.key_env is not None and arguments.base_url is None:
        raise UserError("--key-env goes with --base-url → name the server that gets the key")
    task = _loaded(arguments.task)
    if arguments.limit is not None:
        task = limited(task, arguments.limit)
    request = Request(arguments.arm, arguments.base_url, arguments.key_env)
    return recorded(task, request, arguments.out)


def _list(arguments: argparse.Namespace) -> int:
    from harness.cli import catalogue

    entries = catalogue.entries(arguments.kind)
    if arguments.json:
        tell_json(
            json.dumps([{"kind": e.kind, "name": e.name, "summary": e.summary} for e in entries])
        )
        return OK
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        tell(f"{entry.kind:<9} {entry.name:<{width}}  {entry.summary}".rstrip())
    return OK


def _new(arguments: argparse.Namespace) -> int:
    from harness.cli.scaffold import new_strategy, new_task

    name, here = arguments.name, Path.cwd()
    if arguments.source is not None:
        lines = _task_of(arguments, here)
    elif arguments.validation or arguments.model or arguments.base_url or arguments.key_env:
        raise UserError("--validation, --model, --base-url and --key-env go with --from FILE")
    else:
        lines = {"task": new_task, "strategy": new_strategy}[arguments.kind](name, here)
    for line in lines:
        tell(line)
    return OK


def _task_of(arguments: argparse.Namespace, here: Path) -> list[str]:
    from harness.cli.tuning_file import Source, task_of

    if arguments.kind != "task":
        raise UserError("--from makes a task of rows → new task NAME --from FILE")
    source = Source(arguments.source, arguments.validation, arguments.model)
    if arguments.base_url is not None:  # another server gets no key that is not named for it
        source = replace(source, base_url=arguments.base_url, key_env=None)
    if arguments.key_env is not None:
        source = replace(source, key_env=arguments.key_env)
    return task_of(arguments.name, here, source)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "report": _report,
    "compare": _compare,
    "check": _check,
    "plan": _plan,
    "predict": _predict,
    "record": _record,
    "list": _list,
    "new": _new,
}
"""What does the work of each command, by its name in parser.py."""
