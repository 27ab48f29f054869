"""Writes working starters: a task with a few rows, a strategy as an installable package."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness.errors import UserError

TASK = """\
# Check this file: python -m harness check {folder}/task.yaml
name: {name}
instruction: Is the customer happy or unhappy?
answer: {{kind: choice, labels: [happy, unhappy]}}
data: {{all: data/rows.jsonl, input: text, target: label}}
split: {{test: 0.4, validation: 0.2}}
metric: accuracy
strategies: [majority, tfidf, zero_shot]
margin: 0.05
"""

ROWS = (
    ("Thank you, it works again!", "happy"),
    ("Third week without an answer. Unacceptable.", "unhappy"),
    ("Lovely people on the phone, sorted in minutes", "happy"),
    ("the new one is broken as well", "unhappy"),
    ("exactly what I needed, thanks", "happy"),
    ("I want my money back", "unhappy"),
    ("Great service, will order again", "happy"),
    ("nobody ever called me back", "unhappy"),
    ("Arrived a day early, very pleased", "happy"),
    ("Wrong size again, and no reply to my mail", "unhappy"),
)

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


def new_task(name: str, parent: Path) -> list[str]:
    """Write a task that runs; returns lines for the screen."""
    folder = new_folder(name, parent, r"[a-z0-9_.@-]+")
    rows = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    write_files(
        folder,
        {
            "task.yaml": TASK.format(name=name, folder=name),
            "data/rows.jsonl": "\n".join(rows) + "\n",
        },
    )
    return [f"wrote {name}/task.yaml and {name}/data/rows.jsonl; put your own rows there, then:",
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
