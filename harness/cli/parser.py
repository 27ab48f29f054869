"""The words of the command line: commands, their options and what each takes.

Imports nothing of the project that takes time, and does none of the work.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.errors import unknown_name
from harness.wording.visible import visible

PACKAGE = "worth-tuning"
"""What the package index calls the project."""
TASK_FILE = "task.yaml"
A_TASK = "a task file, or a folder with a task.yaml"


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Return what a command line asks for; `command` is the command's name.

    Raises:
        SystemExit: help or the version was asked for (0), or nothing, or a word makes no sense (2).
    """
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(2)
    word = next((word for word in words if not word.startswith("-")), None)
    if word is not None and word not in (known := commands_of(parser)):
        parser.error(unknown_name("command", word, known))
    arguments, rest = parser.parse_known_args(words)
    # argparse gives up an optional FILE once an option came before it: `predict DIR --arm A FILE`.
    if rest and getattr(arguments, "file", "") is None and not rest[0].startswith("-"):
        arguments.file = Path(rest.pop(0))
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return arguments


def commands_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return the names of a parser's commands."""
    actions = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return [name for action in actions for name in action.choices]


def _positive(word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise argparse.ArgumentTypeError(f"'{word}' is not a positive whole number")
    return int(word)


def _task_file(word: str) -> Path:
    """Return the path of a task file; of a folder that has one, that one."""
    inside = os.path.join(word, TASK_FILE)
    return Path(inside if os.path.isfile(inside) else word)


def _html_file(word: str) -> Path:
    if not word.lower().endswith((".html", ".htm")):
        raise argparse.ArgumentTypeError(f"'{word}' does not end in .html")
    return Path(word)


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        parser._print_message(f"{PACKAGE} {version(PACKAGE)}\n", sys.stdout)
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """One that repeats a wrong word as text."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


def _address(word: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", word):
        raise argparse.ArgumentTypeError("not an http(s) address without user, password and query")
    return word.rstrip("/")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m harness",
        description="Is it worth fine-tuning for this task, or does something simpler do?",
        epilog="run, check and plan run the code that a task names; report, compare, merge and"
        " predict run none of a folder that others made unless you say --trust (docs/trust.md).",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="run every arm of a task and write a report with a verdict"
    )
    run.add_argument("task", type=_task_file, metavar="TASK.yaml", help=A_TASK)
    run.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<task name>")
    run.add_argument("--only", nargs="+", action="extend", default=[], metavar="ARM")
    run.add_argument(
        "--quick",
        action="store_true",
        help="run what is forecast to end within three minutes; a later run goes on from it",
    )
    run.add_argument("--limit", type=_positive, metavar="N", help="score a seeded sample of N rows")
    run.add_argument("--fresh", action="store_true", help="forget what was run here before")
    _add_run_choices(run)
    _add_view(run)
    run.set_defaults(command="run")

    report = commands.add_parser("report", help="write a report anew from what is on record")
    report.add_argument("folder", type=Path, metavar="RUN_DIR")
    report.add_argument("--prices", type=Path, metavar="FILE", help="default: those of the run")
    report.add_argument("--trust", action="store_true", help="run the task's own metrics anew")
    _add_view(report)
    report.set_defaults(command="report")

    _add_compare(commands)
    _add_history(commands)
    _add_merge(commands)

    check = commands.add_parser("check", help="find all faults of a task before it runs")
    check.add_argument("task", type=_task_file, metavar="TASK.yaml", help=A_TASK)
    check.add_argument(
        "--deep", action="store_true", help="near duplicates and likely label errors too; slow"
    )
    check.add_argument("--strict", action="store_true", help="severe findings are an error")
    check.add_argument(
        "--write-clean", type=Path, metavar="FILE", help="write the training rows that pass"
    )
    check.set_defaults(command="check")

    plan = commands.add_parser("plan", help="forecast memory, time and cost of every arm")
    plan.add_argument("task", type=_task_file, metavar="TASK.yaml", help=A_TASK)
    plan.add_argument("--json", action="store_true")
    plan.add_argument(
        "--machine", metavar="NAME", help="show this machine of the price file too (part of a name)"
    )
    plan.add_argument("--all", action="store_true", help="show every machine of the price file")
    plan.set_defaults(command="plan")

    predict = commands.add_parser("predict", help="answer new inputs with an arm that finished")
    predict.add_argument("folder", type=Path, metavar="RUN_DIR")
    predict.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="default: standard input"
    )
    predict.add_argument("--arm", metavar="NAME", help="default: the chosen one")
    predict.add_argument("--json", action="store_true")
    predict.add_argument(
        "--trust", action="store_true", help="run the code of a folder that others made"
    )
    predict.add_argument(
        "--base-url", type=_address, metavar="URL", help="ask this server for a hosted arm"
    )
    predict.add_argument(
        "--key-env", metavar="NAME", help="variable with that server's key; default: send none"
    )
    predict.set_defaults(command="predict")

    _add_record(commands)

    _add_listing(commands)
    _add_new(commands)
    return parser


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    compare = commands.add_parser("compare", help="show what changed between two runs")
    compare.add_argument("first", type=Path, metavar="RUN_DIR")
    compare.add_argument("second", type=Path, metavar="RUN_DIR")
    compare.add_argument("--trust", action="store_true", help="run the tasks' own metrics anew")
    _add_html(compare)
    compare.set_defaults(command="compare")


def _add_history(commands: argparse._SubParsersAction[_Parser]) -> None:
    history = commands.add_parser(
        "history", help="show what each arm scored and cost in all runs of a folder, over time"
    )
    history.add_argument(
        "folder", type=Path, metavar="DIR", help="holds run folders, at most two levels down"
    )
    history.add_argument("--arm", metavar="NAME", help="show this arm only")
    _add_html(history)
    history.set_defaults(command="history")


def _add_merge(commands: argparse._SubParsersAction[_Parser]) -> None:
    merge = commands.add_parser(
        "merge", help="make one run folder of several of one task, made on several machines"
    )
    merge.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="RUN_DIR",
        help="of two records of a trial, the one in the folder named first counts",
    )
    merge.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the new folder; these stay"
    )
    merge.set_defaults(command="merge")


def _add_listing(commands: argparse._SubParsersAction[_Parser]) -> None:
    listing = commands.add_parser("list", help="show what is available, plugins included")
    listing.add_argument("kind", nargs="?", choices=("strategies", "metrics", "models"))
    listing.add_argument(
        "name", nargs="?", metavar="NAME", help="of a strategy: show its parameters and needs"
    )
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command="list")

    schema = commands.add_parser(
        "schema", help="print the JSON schema of a kind of file, for an editor"
    )
    schema.add_argument("kind", choices=("task", "prices", "comparison"))
    schema.set_defaults(command="schema")


def _add_run_choices(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--on",
        metavar="CLUSTER",
        help="do trials on a Ray cluster: ray://HOST:PORT, or ray for one of this machine;"
        " default: run.on of the task, else this machine alone",
    )
    command.add_argument("--gate", action="store_true", help="exit 3 if no arm meets every limit")


def _add_view(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--examples",
        choices=("none", "ids", "12", "all"),
        help="what the report shows of single test rows; default: report.examples of the task",
    )
    command.add_argument(
        "--single-file",
        action="store_true",
        help="keep the texts of all rows in report.html; of more than 500 they lie beside it",
    )


def _add_html(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--html", type=_html_file, metavar="FILE", help="write it as a page too (.html)"
    )


def _add_record(commands: argparse._SubParsersAction[_Parser]) -> None:
    record = commands.add_parser(
        "record", help="keep a hosted model's answers to the test rows, for when it is gone"
    )
    record.add_argument("task", type=_task_file, metavar="TASK.yaml", help=A_TASK)
    record.add_argument(
        "--arm", required=True, metavar="NAME", help="an arm of the task whose model is hosted"
    )
    record.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="default: recorded/<arm>.jsonl beside the task; what it holds is not asked again",
    )
    record.add_argument(
        "--paraphrases",
        action="store_true",
        help="have the arm's model, hosted or not, paraphrase training rows for `augment`; default"
        " of --out: the file that the task names, else recorded/paraphrases.jsonl",
    )
    record.add_argument("--limit", type=_positive, metavar="N", help="a seeded sample of N rows")
    record.add_argument(
        "--base-url", type=_address, metavar="URL", help="ask this server, not the task's"
    )
    record.add_argument(
        "--key-env", metavar="NAME", help="variable with that server's key; default: send none"
    )
    record.set_defaults(command="record")


def _add_new(commands: argparse._SubParsersAction[_Parser]) -> None:
    new = commands.add_parser("new", help="write a task or a strategy to start from")
    new.add_argument("kind", choices=("task", "strategy"))
    new.add_argument("name", metavar="NAME")
    new.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="make the task of a table of rows (.csv, .jsonl, …), or of a file that a hosted chat"
        " model was tuned on (OpenAI's format)",
    )
    new.add_argument(
        "--kind",
        dest="answers",
        choices=("choice", "text", "json"),
        help="of the answers; default: choice, or what a file's targets are",
    )
    new.add_argument(
        "--validation",
        type=Path,
        metavar="FILE",
        help="rows of the same format that it was not tuned on: the test rows",
    )
    new.add_argument("--model", metavar="ID", help="that model (ft:…), to be recorded")
    new.add_argument(
        "--base-url", type=_address, metavar="URL", help="its server; default: OpenAI's"
    )
    new.add_argument(
        "--key-env", metavar="NAME", help="variable with its key; default: OPENAI_API_KEY"
    )
    new.set_defaults(command="new")
