"""Writes working starters: a task with a few rows, a strategy as an installable package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from harness.cli.answer_form import CHEAP, OTHERS
from harness.cli.starter_rows import MESSAGES, ORDER_SCHEMA, starter_rows
from harness.cli.task_text import SCHEMA, task_text
from harness.errors import UserError

INSTRUCTIONS = {
    "choice": "What is this customer's message about?",
    "text": "Answer this customer's question about the bicycle shop in a few words.",
    "json": "Turn this order into a record.",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "choice": {"kind": "choice", "labels": list(MESSAGES)},
    "text": {"kind": "text"},
    "json": {"kind": "json", "schema": "schema.json"},
}
METRICS = {"choice": "accuracy", "text": "token_f1", "json": "field_f1"}

STRATEGY_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "0.1.0"

[project.entry-points."harness.strategies"]
{name} = "{name}:{class_name}"

[tool.setuptools]
py-modules = ["{name}"]
"""

STRATEGY = '''\
"""{class_name}: answers with the target of the training row that shares most words."""

import json

from harness import Prediction, Strategy


class {class_name}(Strategy):
    """Answer as the training row that shares most words."""

    needs_train = True

    def fit(self, train, validation, artifact):
        rows = [[example.query.text, example.targets[0]] for example in train]
        (artifact / "rows.json").write_text(json.dumps(rows))

    def load(self, artifact):
        self.rows = json.loads((artifact / "rows.json").read_text())

    def predict(self, queries):
        return [Prediction(self._nearest(query.text)) for query in queries]

    def _nearest(self, text):
        words = set(text.lower().split())
        return max(self.rows, key=lambda row: len(words & set(row[0].lower().split())))[1]
'''

STRATEGY_TEST = """\
from harness.testing import check_strategy
from {name} import {class_name}


def test_contract():
    check_strategy({class_name})
"""


def new_task(name: str, parent: Path, kind: str = "choice") -> list[str]:
    """Write a task that runs to a verdict within seconds; returns lines for the screen.

    Args:
        name: of the task and its folder.
        parent: where the folder is made.
        kind: of its answers: choice, text or json.
    """
    from harness.cli.json_schemas import schema_text

    folder = new_folder(name, parent, r"[a-z0-9_.@-]+")
    rows = starter_rows(kind)
    given = {
        "name": name,
        "instruction": INSTRUCTIONS[kind],
        "answer": ANSWERS[kind],
        "data": {"all": "data/rows.jsonl", "input": "text", "target": "label"},
        "split": {"test": 0.5, "validation": 0.1},
        "metric": METRICS[kind],
        "margin": 0.05,
    }
    arms = [f"- {arm}" for arm in CHEAP[kind].split(", ")] + [f"# - {arm}" for arm in OTHERS]
    files = {
        "task.yaml": task_text(name, given, arms),
        SCHEMA: schema_text("task"),
        "data/rows.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
    }
    if kind == "json":
        files["schema.json"] = json.dumps(ORDER_SCHEMA, indent=1) + "\n"
    write_files(folder, files)
    return [f"wrote {name}/task.yaml and {name}/data/rows.jsonl ({len(rows)} made-up rows);"
            " it runs as it is, within a minute or so. Put your own rows there, then:",
            f"python -m harness check {name}/task.yaml",
            f"python -m harness run {name}/task.yaml"]  # fmt: skip


def new_strategy(name: str, parent: Path) -> list[str]:
    """Write an installable strategy with its contract test; returns lines for the screen."""
    folder = new_folder(name, parent, r"[a-z][a-z0-9_]*")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    words = {"name": name, "class_name": class_name}
    write_files(
        folder,
        {
            "pyproject.toml": STRATEGY_PYPROJECT.format(**words),
            f"{name}.py": STRATEGY.format(**words),
            f"test_{name}.py": STRATEGY_TEST.format(**words),
        },
    )
    return [f"wrote {name}/{name}.py; install it and it is a strategy like any other:",
            f"pip install -e {name}",
            f"python -m pytest {name}",
            f"then name it in a task: strategies: [majority, {name}]"]  # fmt: skip


def new_folder(name: str, parent: Path, pattern: str) -> Path:
    """Return the folder of something new.

    Raises:
        UserError: the name is impossible, or taken.
    """
    if not re.fullmatch(pattern, name):
        raise UserError(f"'{name}' is not a possible name → it must match {pattern}")
    folder = parent / name
    if folder.exists():
        raise UserError(f"{folder} exists already → choose another name, or remove it")
    return folder


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder, by their names, which may have folders of their own."""
    for file_name, text in files.items():
        path = folder / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
