"""What stands in a file's place and is none: pipes, sockets, devices, links that lead away."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from task_folder import data, faults_of, jsonl, rows, task_text, write

pytestmark = pytest.mark.timeout(120)


def pipe(file):
    os.mkfifo(file)


def listens(file):
    with socket.socket(socket.AF_UNIX) as place:
        os.chdir(file.parent)  # a socket's path is short
        place.bind(file.name)


def linked(target):
    return lambda file: file.symlink_to(target)


def loop(file):
    file.symlink_to(file.name)


def away(file):
    """A link to a file like the one that stood there, in another folder."""
    elsewhere = file.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / file.name).write_text("secret")
    file.symlink_to(elsewhere / file.name)


NO_FILES = {
    "a pipe": (pipe, "it is a pipe"),
    "a socket": (listens, "it is a socket"),
    "zeros without end": (linked("/dev/zero"), "that leaves|it is a device"),
    "a terminal": (linked("/dev/tty"), "that leaves|it is a device"),
    "standard input": (linked("/dev/stdin"), "that leaves|it is a pipe|it is a device"),
    "the kernel's memory": (linked("/proc/kcore"), "that leaves|larger"),
    "a file elsewhere": (away, "that leaves"),
    "a link to itself": (loop, "symbolic links|no such|that leaves"),
    "a folder": (Path.mkdir, "folder|director|no text"),
    "nothing": (linked("nowhere"), "No such file|no such"),
}
ROLES = {
    "rows": ("test.jsonl", {}),
    "labels": ("labels.json", {"answer": {"kind": "choice", "labels": "labels.json"}}),
    "schema": ("schema.json", {"answer": {"kind": "json", "schema": "schema.json"}, "metric": "x"}),
    "prices": ("prices.yaml", {"prices": "prices.yaml"}),
    "corpus": ("documents.jsonl", {"data": data(corpus="documents.jsonl")}),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", NO_FILES)
def test_what_is_no_file_of_the_task_is_refused(tmp_path, monkeypatch, role, what):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "task"
    folder.mkdir()
    name, changes = ROLES[role]
    if "metric" in changes:
        changes = {**changes, "metric": "exact_match"}
    path = write(folder, task_text(**changes))
    (folder / name).unlink(missing_ok=True)
    make, said = NO_FILES[what]
    make(folder / name)
    told = [str(fault) for fault in faults_of(path)]
    assert any(word in line for line in told for word in said.split("|")), told


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/stdin", "/dev/random", "/proc/kcore"])
def test_a_device_that_is_named_is_refused(tmp_path, device):
    path = write(tmp_path, task_text(data=data(test=f"{device}")))
    assert faults_of(path)
    (tmp_path / "rows.jsonl").symlink_to(device)
    assert faults_of(write(tmp_path, task_text(data=data(test=f"{tmp_path}/rows.jsonl"))))


def test_a_path_that_leaves_by_its_text_is_read(tmp_path):
    (tmp_path / "task").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/test.jsonl").write_text(jsonl(rows("test", 6)))
    for test in ("../shared/test.jsonl", f"{tmp_path}/shared/test.jsonl"):
        assert faults_of(write(tmp_path / "task", task_text(data=data(test=test)))) == []
