"""Writes small tasks into a folder, and reads their faults."""

import json
from pathlib import Path

from harness.errors import Fault, TaskError
from harness.task import load_task

KEYS = {
    "name": "small",
    "instruction": "Which letter?",
    "answer": {"kind": "choice", "labels": ["a", "b"]},
    "data": {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"},
    "metric": "accuracy",
    "strategies": ["majority"],
}


def rows(prefix, n, **more):
    return [
        {"id": f"{prefix}{i}", "text": f"{prefix} text {i}", "label": "ab"[i % 2], **more}
        for i in range(n)
    ]


def jsonl(some_rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some_rows)


def task_text(**changes) -> str:
    """One key a line, values in JSON, which is YAML too; a key of None stays out."""
    keys = {key: value for key, value in (KEYS | changes).items() if value is not None}
    return "".join(f"{key}: {json.dumps(v, ensure_ascii=False)}\n" for key, v in keys.items())


def data(**changes) -> dict:
    return {key: v for key, v in (KEYS["data"] | changes).items() if v is not None}


def write(folder: Path, text: str | bytes | None = None, **files: str | bytes | list) -> Path:
    """Write task.yaml and its data; `files` are named with `_` for the dot."""
    contents = {"train_jsonl": rows("train", 8), "test_jsonl": rows("test", 6)} | files
    contents["task_yaml"] = task_text() if text is None else text
    for name, content in contents.items():
        text_or_bytes = jsonl(content) if isinstance(content, list) else content
        if isinstance(text_or_bytes, str):
            text_or_bytes = text_or_bytes.encode()
        (folder / name.replace("_", ".")).write_bytes(text_or_bytes)
    return folder / "task.yaml"


def faults_of(path: Path) -> list[Fault]:
    """All faults of a task, none if it loads; any other exception passes."""
    try:
        load_task(path)
    except TaskError as problem:
        return list(problem.faults)
    return []


def told(path: Path) -> list[str]:
    """The faults as lines, with the folder left out."""
    return [str(fault).replace(f"{path.parent}/", "") for fault in faults_of(path)]


def nested(open_, close, depth=100_000):
    """Return text that opens so many times and then closes as often."""
    return open_ * depth + close * depth
