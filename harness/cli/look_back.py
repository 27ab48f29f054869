"""Commands that read a run folder: `report`, `compare`, `history` and `predict`."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.exit_codes import OK
from harness.cli.plain import complain, tell, tell_json
from harness.cli.verdict import analysed, chosen_arm, view_of
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.store.run_folder import RunFolder


def report(arguments: argparse.Namespace) -> int:
    """Write a report anew from what is on record."""
    from harness.analysis import stale_prices
    from harness.cli.terminal import Screen
    from harness.prices import read_prices
    from harness.store.run_folder import RunFolder

    prices = read_prices(arguments.prices) if arguments.prices else None
    folder = RunFolder(arguments.folder)
    screen = Screen()
    _tell_metrics(folder, arguments.trust)
    screen.show(analysed(folder, prices, arguments.trust, view_of(arguments)))
    for line in stale_prices(folder, prices, date.today()):
        screen.say(f"- {line}")
    screen.say("")
    screen.report(folder.report_html, folder.report_md)
    return OK


def compare_folders(arguments: argparse.Namespace) -> int:
    """Print what changed between two runs."""
    from harness.analysis import compare, compared_lines
    from harness.store.run_folder import RunFolder

    folders = RunFolder(arguments.first), RunFolder(arguments.second)
    for folder in folders:
        _tell_metrics(folder, arguments.trust)
    found = compare(*folders, arguments.trust)
    for line in compared_lines(found):
        tell(line)
    if arguments.html is not None:
        from reports.runs import compared_html

        _write_page(arguments.html, compared_html(found))
    return OK


def _write_page(file: Path, page: str) -> None:
    """Write a page where the user wants it, and say where it is.

    Raises:
        UserError: its folder is not there.
    """
    from harness.files.atomic import atomic_write

    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: there is no such folder → make it, or name another file")
    atomic_write(file, page, durable=False)
    tell(f"Page: {file}")


def history(arguments: argparse.Namespace) -> int:
    """Print what each arm scored and cost in the runs of a folder."""
    from harness.analysis import history_of
    from harness.cli.terminal import Screen

    found = history_of(arguments.folder, arguments.arm)
    Screen().show_history(found)
    if arguments.html is not None:
        from reports.runs import history_html

        _write_page(arguments.html, history_html(found))
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


def predict(arguments: argparse.Namespace) -> int:
    """Print answers to new inputs, of an arm that finished."""
    from harness.run.opening import Leave
    from harness.run.predict_new import answer_with
    from harness.store.run_folder import RunFolder
    from harness.task import read_inputs

    folder = RunFolder(arguments.folder)
    arm = arguments.arm or chosen_arm(folder)
    columns = folder.last_header().task.get("data") or {}
    queries = read_inputs(arguments.file, columns, lambda said: complain(f"note: {said}"))
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
