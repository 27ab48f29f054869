"""A small task, and the command line: in this process, or as its user calls it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from harness.cli import launching
from harness.cli.commands import run_command
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.site import Site
from harness.task.code_check import CodeCheck

SOURCE = """
from harness import Prediction, Strategy

class Echo(Strategy):
    def predict(self, queries):
        return [Prediction(query.text.split()[0]) for query in queries]

class Moody(Echo):
    def predict(self, queries):
        if any("bad" in query.text for query in queries):
            raise ValueError("too bad")
        return super().predict(queries)

class Broken(Echo):
    def fit(self, train, validation, artifact):
        raise ValueError("no luck [red] " + "very long " * 30 + "end")
"""
ROWS = ["rain all day", "sun and no cloud", "rain again", "sun at last"]


def harness_process(*words, stdin="", cwd=None, **environment):
    """Run `python -m harness` as its user does, and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
    )


def harness(*words, stdin="", cwd=None, **environment):
    """Run a command in this process, its jobs too; returns what a finished process would.

    A task's own code is not tried first: what ends a process would end the tests.
    """
    words = [str(word) for word in words]
    out, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(errors),
    ):
        patch.setattr(launching, "site_of", lambda *_: (Site(InProcessLauncher), None))
        patch.setattr(CodeCheck, "_faults", lambda *_: iter(()))
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.setattr(sys, "argv", ["harness", *words])
        patch.setattr(signal, "signal", lambda *_: None)
        patch.chdir(cwd or Path.cwd())
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            code = run_command(words)
        except SystemExit as leaving:
            code = leaving.code
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def write_task(folder, arms, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(SOURCE)
    for split, repeats in (("train", 4), ("validation", 1), ("test", 5)):
        rows = [
            {"id": f"{split}-{i}", "text": f"{text} {split} {i}", "label": text.split()[0]}
            for i, text in enumerate(ROWS * repeats)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = {split: f"{split}.jsonl" for split in ("train", "validation", "test")}
    task = {
        "name": "weather",
        "instruction": "Rain or sun?",
        "answer": {"kind": "choice", "labels": ["rain", "sun"]},
        "data": {**splits, "input": "text", "target": "label"},
        "metric": "accuracy",
        "strategies": arms,
        **changes,
    }
    (folder / "task.yaml").write_text(json.dumps(task, indent=1))
    return folder / "task.yaml"


def rows_of(folder):
    comparison = json.loads((folder / "comparison.json").read_text())
    return {row["strategy"]: row for row in comparison["rows"]}


def arms_run(folder):
    """The arms of all trial lines, in their order."""
    lines = map(json.loads, (folder / "records.jsonl").read_text().splitlines())
    return [line["arm"] for line in lines if line["kind"] == "trial"]
