"""Commands that something begins with: `record`, `list`, `schema` and `new`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from harness.cli.exit_codes import OK
from harness.cli.loaded import loaded
from harness.cli.plain import tell, tell_json
from harness.errors import UserError


def record(arguments: argparse.Namespace) -> int:
    """Keep a hosted model's answers to the test rows, or a model's paraphrases of others."""
    from harness.cli.recording import paraphrased, recorded
    from harness.run.record import Request
    from harness.task import limited

    if arguments.key_env is not None and arguments.base_url is None:
        raise UserError("--key-env goes with --base-url → name the server that gets the key")
    request = Request(arguments.arm, arguments.base_url, arguments.key_env)
    if arguments.paraphrases:
        task = loaded(arguments.task, paraphrased=False)
        return paraphrased(task, request, arguments.out, arguments.limit)
    task = loaded(arguments.task)
    if arguments.limit is not None:
        task = limited(task, arguments.limit)
    return recorded(task, request, arguments.out)


def list_what_there_is(arguments: argparse.Namespace) -> int:
    """Print what is available, of one kind or of all."""
    from harness.cli import catalogue

    if arguments.name is not None:
        return _show_strategy(arguments)
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


def _show_strategy(arguments: argparse.Namespace) -> int:
    from harness.cli.strategy_page import page_lines, strategy_page
    from harness.cli.terminal import Screen

    if arguments.kind != "strategies":
        raise UserError(f"only strategies have pages → list strategies {arguments.name}")
    page = strategy_page(arguments.name)
    if arguments.json:
        tell_json(json.dumps(page, ensure_ascii=False))
        return OK
    screen = Screen()
    for line in page_lines(page):
        screen.say(line)
    return OK


def schema(arguments: argparse.Namespace) -> int:
    """Print the JSON schema of a kind of file."""
    from harness.cli.json_schemas import schema_text

    tell_json(schema_text(arguments.kind).rstrip("\n"))
    return OK


def new(arguments: argparse.Namespace) -> int:
    """Write a task or a strategy to start from."""
    from harness.cli.scaffold import new_strategy, new_task

    name, here = arguments.name, Path.cwd()
    hosted = arguments.validation or arguments.model or arguments.base_url or arguments.key_env
    if arguments.kind == "strategy":
        if arguments.source is not None or arguments.answers is not None:
            raise UserError("--from and --kind make a task → new task NAME --from FILE")
        lines = new_strategy(name, here)
    elif arguments.source is not None:
        lines = _task_of(arguments, here, bool(hosted))
    elif hosted:
        raise UserError("--validation, --model, --base-url and --key-env go with --from FILE")
    else:
        lines = new_task(name, here, arguments.answers or "choice")
    for line in lines:
        tell(line)
    return OK


def _task_of(arguments: argparse.Namespace, here: Path, hosted: bool) -> list[str]:
    from harness.cli.table_file import is_of_chats, task_of_table
    from harness.cli.tuning_file import Source, task_of

    if not is_of_chats(arguments.source):
        if hosted:
            what = f"{arguments.source} holds no chats, and --validation, --model, --base-url and"
            raise UserError(f"{what} --key-env are about those → leave them out")
        return task_of_table(arguments.name, here, arguments.source, arguments.answers)
    source = Source(arguments.source, arguments.validation, arguments.model)
    if arguments.base_url is not None:  # another server gets no key that is not named for it
        source = replace(source, base_url=arguments.base_url, key_env=None)
    if arguments.key_env is not None:
        source = replace(source, key_env=arguments.key_env)
    return task_of(arguments.name, here, source, arguments.answers)
