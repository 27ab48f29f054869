"""Tiny tasks with strategies from a file, run in this process or in workers of their own."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from progress import Silent

from harness.run.folder_lock import opened
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.launchers.local import LocalLauncher
from harness.run.runner import Runner
from harness.run.site import Site
from harness.task import limited, load_task


def write_task(folder: Path, source: str, arms: list, **changes) -> Path:
    """Write strategies.py, three splits and task.yaml (as JSON, which YAML contains)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(source)
    for name, n in (("train", 6), ("validation", 4), ("test", 8)):
        rows = [
            {"id": f"{name}{i}", "text": f"{name} text {i}", "label": "ab"[i % 2], "day": str(i)}
            for i in range(n)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {name: f"{name}.jsonl" for name in ("train", "validation", "test")}
    task = {
        "name": "tiny",
        "instruction": "Which letter?",
        "answer": {"kind": "choice", "labels": {"a": "first", "b": "second"}},
        "data": {**data, "input": "text", "target": "label"},
        "metric": "accuracy",
        "strategies": arms,
        "seeds": [0],  # one trial an arm, but in tests of seeds
        **changes,
    }
    path = folder / "task.yaml"
    task = {key: value for key, value in task.items() if value is not None}
    path.write_text(json.dumps(task, indent=1))
    return path


def run_task(path: Path, out: Path, limit: int | None = None, **options):
    """Run a task; returns its run folder and its records by arm."""
    task = load_task(path)
    if limit is not None:
        task = limited(task, limit)
    with opened(out, task.spec.name, fresh=False) as folder:
        Runner(task, folder, Silent(), **options).run()
    return folder, {record.arm: record for record in folder.trials().values()}


@pytest.fixture(scope="session")
def tiny():
    return write_task


@pytest.fixture(scope="session")
def run_tiny():
    """Run a task in this process: for whatever is not about processes."""
    return partial(run_task, site=Site(InProcessLauncher))


@pytest.fixture(scope="session")
def run_in_processes():
    """Run a task as users do: each job in a fresh interpreter."""
    return partial(run_task, site=Site(LocalLauncher))
