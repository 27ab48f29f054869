"""Makes a task of the file that a hosted model was tuned on, and says what it made of it.

The system message becomes the instruction, the last user's message the input, the assistant's the
target. Decides what kind of answer it is; reading is the work of `harness/task/chat_files.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.answer_form import FEWEST, Form, form_of, object_of
from harness.cli.json_schemas import schema_text
from harness.cli.scaffold import new_folder, write_files
from harness.cli.task_text import SCHEMA, task_text
from harness.errors import UserError
from harness.files.hashing import sha256_of
from harness.task.chat_files import ChatFile, ChatRow, read_chats
from harness.wording.sentences import counted

SHARE_TO_CHOOSE = 10
"""One of so many training rows is a validation row, where the test rows come from another file."""
NO_SYSTEM = "Answer the message."
BY_ROW = "Answer the message as its system message asks."


@dataclass(frozen=True)
class Source:
    """What a task is made of."""

    file: Path
    held_out: Path | None = None
    """Rows that the hosted model was not tuned on: those of the test."""
    model: str | None = None
    """The hosted model, to be asked for its answers."""
    base_url: str = "https://api.openai.com/v1"
    key_env: str | None = "OPENAI_API_KEY"


def task_of(name: str, parent: Path, source: Source, kind: str | None = None) -> list[str]:
    """Write the task; returns lines for the screen.

    Raises:
        TaskError: a file is not one that models are tuned on.
        UserError: the folder exists, or there is too little to make a task of.
    """
    folder = new_folder(name, parent, r"[a-z0-9_.@-]+")
    read = read_chats(source.file)
    held = read_chats(source.held_out) if source.held_out else None
    rows = [*read.rows, *(held.rows if held else [])]
    if len(rows) < FEWEST or len({row.input for row in rows}) < FEWEST:
        raise UserError(
            f"{source.file} has {counted(len(rows), 'row')} to make a task of"
            " → add rows, with different inputs"
        )
    form = form_of([row.target for row in rows], kind)
    system, style, said_of_system = _system(rows)
    columns = _columns(rows, style)
    files = dict(_files(read, held, form, columns))
    data = _data(held is not None and "data/validation.jsonl" in files, held is not None, columns)
    if form.schema is not None:
        files["schema.json"] = json.dumps(form.schema, indent=1, ensure_ascii=False) + "\n"
    files[SCHEMA] = schema_text("task")
    files["task.yaml"] = _task(name, system, form, data, _arms(form, source, style))
    write_files(folder, files)
    told = (*_left_out(read, source.file), *(_left_out(held, source.held_out) if held else ()))
    return [
        f"wrote {name}/task.yaml and {len(files) - 1} files beside it:",
        form.why,
        said_of_system,
        _told_of_rows(read, held),
        *told,
        *_next(name, form, source),
    ]


def _system(rows: Sequence[ChatRow]) -> tuple[str, str, str]:
    """Return the instruction, how a model that was tuned so is asked, and what is said of it."""
    counts = Counter(row.system for row in rows)
    if len(counts) > 1:
        none = f", and {counts[None]} rows have none" if counts[None] else ""
        n = len(counts) - (None in counts)
        said = f"{n} different system message{'s' * (n > 1)}{none}: each row keeps its own, in"
        return BY_ROW, "system", f"{said} the visible column `system`"
    [system] = counts
    if system is None or not system.strip():
        said = f"no system message: the instruction is '{NO_SYSTEM}' → write what is asked for"
        return NO_SYSTEM, "input", said
    return system, "instruction", "the system message of all rows is the instruction"


def _columns(rows: Sequence[ChatRow], style: str) -> list[str]:
    """Return the visible columns beside the input."""
    own = ["system"] if style == "system" else []
    return own + (["earlier"] if any(row.earlier for row in rows) else [])


def _files(
    read: ChatFile, held: ChatFile | None, form: Form, columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the files of rows."""
    if held is None:
        yield "data/rows.jsonl", _lines("row", read.rows, form, columns)
        return
    # By the inputs, so that copies of a row stand on one side, and rows that are added move none.
    chosen = [r for r in read.rows if int(sha256_of(r.input)[:8], 16) % SHARE_TO_CHOOSE == 0]
    if chosen and len(chosen) < len(read.rows):
        taken = {id(row) for row in chosen}
        train = [row for row in read.rows if id(row) not in taken]
        yield "data/validation.jsonl", _lines("train", chosen, form, columns)
    else:
        train = read.rows
    yield "data/train.jsonl", _lines("train", train, form, columns)
    yield "data/test.jsonl", _lines("test", held.rows, form, columns)


def _lines(prefix: str, rows: Sequence[ChatRow], form: Form, columns: Sequence[str]) -> str:
    """Return rows as JSON lines, each called by its line in the file that it comes from."""
    return "".join(_line(prefix, row, form, columns) + "\n" for row in rows)


def _line(prefix: str, row: ChatRow, form: Form, columns: Sequence[str]) -> str:
    target: Any = row.target
    if form.kind != "text":
        target = row.target.strip() if form.kind == "choice" else object_of(row.target)
    earlier = [{"role": turn.role, "content": turn.content} for turn in row.earlier] or None
    known = {"system": row.system, "earlier": earlier}
    more = {column: known[column] for column in columns}
    named = {"id": f"{prefix}-{row.line}", "input": row.input, "target": target}
    return json.dumps({**named, **more}, ensure_ascii=False)


def _data(chooses: bool, is_split: bool, columns: Sequence[str]) -> dict[str, Any]:
    """Return the task's `data`."""
    names = ("train", *(["validation"] if chooses else []), "test")
    files = (
        {name: f"data/{name}.jsonl" for name in names} if is_split else {"all": "data/rows.jsonl"}
    )
    visible = {"visible": list(columns)} if columns else {}
    return {**files, "input": "input", "target": "target", **visible}


def _arms(form: Form, source: Source, style: str) -> list[str]:
    """Return the arms as YAML: cheap ones, prompted ones, a tuned one, and the hosted model."""
    arms = [*form.cheap, "zero_shot", "few_shot", "lora"]
    model = source.model or "ft:…"
    asked = {"use": "zero_shot", "name": "hosted", "as_tuned": style}
    hosted = {"provider": "openai", "base_url": source.base_url, "model": model}
    asked |= {"model": {**hosted, "key_env": source.key_env}}  # type: ignore[dict-item]
    entry = f"- {json.dumps(asked, ensure_ascii=False)}"
    if source.model is None:
        entry = f"# The hosted model, to be recorded while it lives:\n  # {entry}"
    return [*(f"- {arm}" for arm in arms), entry]


def _task(name: str, system: str, form: Form, data: Mapping[str, Any], arms: Sequence[str]) -> str:
    """Return the task file."""
    given: dict[str, Any] = {"name": name, "instruction": system, "answer": form.answer}
    given["data"] = data
    if "all" in data:
        given["split"] = {"test": 0.3, "validation": 0.1}
    given |= {"metric": form.metric, "margin": 0.05}
    return task_text(name, given, arms)


def _told_of_rows(read: ChatFile, held: ChatFile | None) -> str:
    if held is not None:
        n = len(held.rows)
        return f"{len(read.rows)} rows to learn from; the {n} rows that were held out are the test"
    return (
        f"{len(read.rows)} rows, cut by `split`: a model that was tuned on this file has seen the"
        " test rows, and what it scores on them is too high → give rows that it has not seen, with"
        " --validation FILE"
    )


def _left_out(read: ChatFile, file: Path | None) -> Iterator[str]:
    """Say what is not in the task."""
    if read.unweighted_n:
        yield f"{file}: {read.unweighted_n} rows are left out: no message in them has a weight"
    if read.later_n:
        yield f"{file}: in {read.later_n} rows messages of weight 0 at the end are left out"
    if read.tools_n:
        yield f"{file}: {read.tools_n} rows offer tools and call none; the offer is left out"


def _next(name: str, form: Form, source: Source) -> Iterator[str]:
    yield f"python -m harness check {name}/task.yaml"
    if source.model is not None:
        yield f"python -m harness record {name}/task.yaml --arm hosted"
    cheap = " ".join(form.cheap)
    yield f"python -m harness run {name}/task.yaml --only {cheap}"
