"""Makes a task of a table of rows (.csv, .tsv, .jsonl, …), and says what it took for what.

The input and the target are guessed by the names of columns, else by what stands in them; the kind
of answer by the targets. All of it stands in the task file, where it can be changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.answer_form import FEWEST, Form, form_of
from harness.cli.scaffold import new_folder, write_files
from harness.cli.task_text import SCHEMA, task_text
from harness.errors import Fault, TaskError, UserError
from harness.task.rows import Reading, Row, as_text, read_rows
from harness.wording.sentences import counted

TARGETS = (
    "label", "target", "labels", "answer", "answers", "class", "category", "intent", "gold", "team",
    "tag", "topic", "sentiment", "record", "output", "response", "completion", "y",
)  # fmt: skip
"""Names of columns with what is right, the likeliest first."""
INPUTS = (
    "input", "text", "question", "message", "prompt", "query", "utterance", "sentence", "content",
    "body", "ticket", "document", "review", "description", "title", "x",
)  # fmt: skip
"""Names of columns with what is asked, the likeliest first."""
SPLITS = ("split", "set", "partition", "subset", "fold")
"""Names of columns that may say which split a row is in."""
NAMES_OF_SPLITS = frozenset(
    {"train", "training", "dev", "val", "valid", "validation", "test", "eval", "evaluation"}
)
"""What such a column says, as `split.column` reads it."""


@dataclass(frozen=True)
class Guess:
    """Which column is what, and why."""

    input: str
    target: str
    why: str
    others: tuple[str, ...]
    split: str | None
    """The column that names splits, if there is one."""


def task_of_table(name: str, parent: Path, file: Path, kind: str | None) -> list[str]:
    """Write the task; returns lines for the screen.

    Args:
        name: of the task and its folder.
        parent: where the folder is made.
        file: of the rows.
        kind: of the answers; None: it is guessed.

    Raises:
        TaskError: the file cannot be read as rows.
        UserError: the folder exists, or there is too little to make a task of.
    """
    folder = new_folder(name, parent, r"[a-z0-9_.@-]+")
    faults: list[Fault] = []
    rows = read_rows(file.resolve(), faults, file.resolve().parent, Reading())
    if faults:
        raise TaskError(faults)
    if len(rows) < FEWEST:
        has = counted(len(rows), "row")
        raise UserError(f"{file} has {has} → a task needs at least {FEWEST}")
    guess = _guess(rows, file)
    form = form_of([_target(row.values.get(guess.target)) for row in rows], kind)
    text = _text(name, file, guess, form)
    files = {"task.yaml": text, SCHEMA: _schema_text()}
    if form.schema is not None:
        files["schema.json"] = json.dumps(form.schema, indent=1, ensure_ascii=False) + "\n"
    write_files(folder, files)
    (folder / "data").mkdir()
    shutil.copyfile(file, folder / "data" / file.name)
    return [
        f"wrote {name}/task.yaml and a copy of the {len(rows):,} rows of {file.name}; guessed:",
        f"- {guess.why} → write others under `data` if that is wrong",
        f"- {form.why} → `answer`",
        _told_of_split(guess),
        *_told_of_others(guess),
        f"python -m harness check {name}/task.yaml",
        f"python -m harness run {name}/task.yaml",
    ]


def _schema_text() -> str:
    from harness.cli.json_schemas import schema_text

    return schema_text("task")


def _guess(rows: Sequence[Row], file: Path) -> Guess:
    """Guess the columns; those that are named as such come first."""
    columns = list(dict.fromkeys(column for row in rows[:1000] for column in row.values))
    if len(columns) < 2:
        what = f"{file} has {'one column' if columns else 'no columns'}"
        raise UserError(f"{what} → a task needs a column with inputs and one with targets")
    split = next((c for c in columns if c.lower() in SPLITS and _names_splits(rows, c)), None)
    left = [column for column in columns if column != split and column.lower() != "id"]
    target = _named(left, TARGETS)
    by_name = target is not None
    asked = _named([c for c in left if c != target], INPUTS)
    lengths = {column: _length(rows, column) for column in left}
    if asked is None:
        asked = max((c for c in left if c != target), key=lambda c: lengths[c], default=None)
    if target is None:
        rest = [c for c in left if c != asked]
        target = min(rest, key=lambda c: len({_key(r, c) for r in rows}), default=None)
    if asked is None or target is None:
        raise UserError(f"{file} has no two columns to guess input and target from → add one")
    how = "by their names" if by_name and asked.lower() in INPUTS else "by what stands in them"
    why = f"the input is the column '{asked}', the target '{target}', {how}"
    others = tuple(column for column in left if column not in (asked, target))
    return Guess(asked, target, why, others, split)


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with the likeliest of some names."""
    by_name = {column.lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _names_splits(rows: Sequence[Row], column: str) -> bool:
    """Tell whether a column says train and test, in words that `split.column` reads."""
    said = {str(row.values.get(column)).strip().lower() for row in rows}
    return said <= NAMES_OF_SPLITS and bool(said & {"test", "eval", "evaluation"})


def _length(rows: Sequence[Row], column: str) -> float:
    """Return how long a column's texts are on average."""
    return sum(len(str(row.values.get(column) or "")) for row in rows) / len(rows)


def _key(row: Row, column: str) -> str:
    return json.dumps(row.values.get(column), sort_keys=True, default=str)


def _target(value: Any) -> str:
    """Return a target as text: of a list its first, of an object its JSON."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return as_text(value) or ""


def _text(name: str, file: Path, guess: Guess, form: Form) -> str:
    data = {"all": f"data/{file.name}", "input": guess.input, "target": guess.target}
    split = {"column": guess.split} if guess.split else {"test": 0.3, "validation": 0.1}
    given = {
        "name": name,
        "instruction": form.instruction,
        "answer": form.answer,
        "data": data,
        "split": split,
        "metric": form.metric,
        "margin": 0.05,
    }
    return task_text(name, given, [*(f"- {arm}" for arm in form.cheap), *form.others])


def _told_of_split(guess: Guess) -> str:
    if guess.split:
        return f"- the column '{guess.split}' says which row is in which split → `split`"
    return "- 30% of the rows are test rows, 10% validation rows, cut by their inputs → `split`"


def _told_of_others(guess: Guess) -> list[str]:
    if not guess.others:
        return []
    names = ", ".join(f"'{column}'" for column in guess.others)
    return [f"- not used: {names} → name them under `data.visible` or `data.slices`"]


def is_of_chats(file: Path) -> bool:
    """Tell whether a file's first row is a chat, as hosted models are tuned on; see chat_files.py.

    A file that cannot be read is left to whoever reads it whole, and says why.
    """
    faults: list[Fault] = []
    rows = read_rows(file.resolve(), faults, file.resolve().parent, Reading())
    columns = rows[0].values.keys() if rows else frozenset()
    return not rows or bool(CHATS & columns) or columns == PAIR


CHATS = frozenset({"messages", "contents", "conversations", "preferred_output", "chosen"})
"""Columns that hold turns, or choices between them (which are refused with the reason)."""
PAIR = frozenset({"prompt", "completion"})
"""The columns of the oldest format."""
