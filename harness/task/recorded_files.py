"""Holds the answers that an arm replays against the task that they were recorded for.

A prompt or a row that has changed since would be scored on answers to another one: a fault, before
anything runs. That rows were added no fault is: the arm itself refuses those that it cannot answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Fault, UserError
from harness.files.hashing import sha256_of
from harness.files.yaml_source import Source
from harness.store.recorded_answers import read_recorded
from harness.strategy import INPUT_FILE, Strategy, marked
from harness.task.schema import TaskFile
from harness.types import Split

OTHER_PROMPT = "was recorded with another prompt (instruction, answer, system turn or stop strings)"
SHOWN = 3
"""Rows that are named where they have changed."""


def prompt_sha256(
    spec: TaskFile, labels: Mapping[str, str], schema: Mapping[str, Any] | None
) -> str:
    """Hash what a task puts to every model, whatever the arm adds."""
    answer = spec.answer
    parts = {
        "instruction": spec.instruction,
        "answer": [answer.kind, list(labels.items()), schema, answer.no_answer],
        "system": spec.system,
        "template_kwargs": dict(spec.chat_template_kwargs),
        "stop": list(spec.generation.stop),
    }
    return sha256_of(parts)


def changed_since(
    spec: TaskFile,
    source: Source,
    strategies: Mapping[str, type[Strategy]],
    params: Mapping[str, Mapping[str, Any]],
    asked: tuple[str, Split],
) -> Iterator[Fault]:
    """Yield why recorded answers are not those to this task any more.

    Args:
        spec: the task file.
        source: where its keys stand.
        strategies: arm name to its class.
        params: arm name to its parameters.
        asked: the task's `prompt_sha256` and its test rows.
    """
    prompt, test = asked
    queries: dict[str, str] = {}
    for position, written in enumerate(spec.strategies):
        strategy = strategies.get(written.name)
        if strategy is None or not strategy.replays:
            continue
        queries = queries or {query.id: query.sha256 for query in test.queries}
        for _, file in marked(strategy.Params(**params[written.name]), INPUT_FILE):
            for what, fix in _changed(Path(file), prompt, queries):
                yield Fault(source.where(["strategies", position]), what, fix)


def _changed(file: Path, asked: str, queries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what has changed since a file was recorded, and what to do; nothing of other files."""
    again = "put it back, or record again into another file (`harness record`)"
    try:
        recording, rows = read_recorded(file)
    except UserError:
        return  # whoever reads its answers names the line
    if recording is None:
        return
    if recording.prompt_sha256 != asked:
        yield f"{file.name} {OTHER_PROMPT}", again
    known = [row for row in rows if row["id"] in queries]
    others = [row["id"] for row in known if queries[row["id"]] != row["query_sha256"]]
    if others:
        named = ", ".join(f"'{row_id}'" for row_id in others[:SHOWN])
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        yield (
            f"{file.name} answers test rows that have changed since ({named}{more})",
            "put them back, or have these asked again (`harness record` with the hosted arm)",
        )
