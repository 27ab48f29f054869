"""The limits themselves: time of the CPU, length of lines, memory of a whole file.

What needs much memory is read in one child under a limit, since a limit of this process would be
all tests'.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from task_folder import data, task_text, write

from harness.files.bounded import has_short_lines
from harness.files.cpu_limit import OverdueError, cpu_limit
from harness.task import load_task

pytestmark = pytest.mark.timeout(120)


def test_a_block_gets_so_much_of_the_cpus_time_and_no_more():
    with cpu_limit(60):
        pass
    with pytest.raises(OverdueError, match=r"more than 0\.1 s"), cpu_limit(0.1):
        re.match("(a+)+$", "a" * 40 + "b")
    with pytest.raises(OverdueError), cpu_limit(0.1):
        _catches_all()


def _catches_all():
    while True:  # a library that catches all it can is told again
        try:
            re.match("(a+)+$", "a" * 40 + "b")
        except Exception:
            continue


def test_lines_are_measured_across_blocks(tmp_path):
    file = tmp_path / "lines"
    block = 2**20
    for text, most, fits in [
        ("", block, True), ("a" * block, block, True), ("a" * block + "b", block, False),
        ("a" * block + "\n" + "b" * block, block, True), ("\n" * 9, block, True),
        ("a" * (block + 1) + "\n", block, False),
        ("ab\n" + "c" * 2 * block + "\nd", 2 * block, True),
        ("ab\n" + "c" * 2 * block + "\nd", 2 * block - 1, False),
    ]:  # fmt: skip
        file.write_text(text)
        assert has_short_lines(file, most) is fits


LARGE = """
import resource, sys
from pathlib import Path
from harness.errors import TaskError
from harness.task import load_task
resource.setrlimit(resource.RLIMIT_AS, (2**30 + 2**29, 2**30 + 2**29))
for path in sys.argv[1:]:
    try:
        load_task(Path(path))
        print("read")
    except TaskError as problem:
        print(str(problem)[:300])
"""


def test_what_would_take_gigabytes_is_refused_within_one(tmp_path):
    # A process: a limit of memory is a process's own. The address space of libraries is in it too.
    paths = []
    for name, file in [("line", "test.jsonl"), ("cell", "test.csv"), ("yaml", "task.yaml")]:
        folder = tmp_path / name
        folder.mkdir()
        test = "test.csv" if name == "cell" else "test.jsonl"
        paths.append(write(folder, task_text(data=data(test=test))))
        with (folder / file).open("ab") as stream:
            stream.truncate(2**30)  # a hole: zeros that take no room on the disk
    done = subprocess.run(
        [sys.executable, "-c", LARGE, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert "a line of more than 64 MiB" in done.stdout.splitlines()[0]
    assert "larger than 256 KiB" in done.stdout.splitlines()[2]


def test_ordinary_tasks_load(tmp_path):
    assert load_task(write(tmp_path)).spec.name == "small"
