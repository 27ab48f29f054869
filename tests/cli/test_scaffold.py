"""`harness new` writes what works at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from command_line import harness

from harness.cli.scaffold import new_strategy, new_task
from harness.errors import UserError
from harness.task import load_task


def pytest_in(folder, *words):
    command = [sys.executable, "-m", "pytest", "-q", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.torch
def test_a_new_task_runs(tmp_path):
    new_task("my_task", tmp_path)
    task = load_task(tmp_path / "my_task" / "task.yaml")
    assert (len(task.train), len(task.validation), len(task.test)) == (24, 6, 30)
    words = ("run", "my_task/task.yaml", "--only", "majority", "tfidf")
    done = harness(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "my_task" / "report.html").is_file()


def test_a_new_strategy_passes_its_own_test_and_runs_as_a_file(tmp_path):
    new_strategy("word_match", tmp_path)
    tested = pytest_in(tmp_path, "word_match")
    assert tested.returncode == 0, tested.stdout
    new_task("my_task", tmp_path)
    path = tmp_path / "my_task" / "task.yaml"
    path.write_text(path.read_text().replace("- tfidf", "- ../word_match/word_match.py:WordMatch"))
    done = harness("run", "my_task/task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wordmatch: done" in done.stdout


@pytest.mark.parametrize("name", ["Has Space", "../elsewhere", "", "1st"])
def test_an_impossible_name_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="not a possible name"):
        new_strategy(name, tmp_path)


def test_nothing_is_overwritten(tmp_path):
    new_task("mine", tmp_path)
    with pytest.raises(UserError, match="exists already"):
        new_task("mine", tmp_path)
