"""One finished run, which the tests of all commands look at."""

from __future__ import annotations

import shutil

import pytest
from command_line import harness_process, write_task


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A finished run of four arms: its folder, and the process that ran it."""
    folder = tmp_path_factory.mktemp("cli")
    arms = ["majority", "tfidf", "own.py:Echo", "own.py:Broken"]
    path = write_task(folder / "task", arms)
    done = harness_process("run", path, "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def finished(shared, tmp_path):
    """A copy of that run folder, to be changed at will."""
    return shutil.copytree(shared[0] / "run", tmp_path / "run")
