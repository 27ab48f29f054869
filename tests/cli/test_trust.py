"""`--trust` of `report` and `compare`: what is run is named first, and nothing without it."""

from __future__ import annotations

import pytest
from command_line import harness, harness_process, rows_of, write_task

# A metric runs in a process of its own, and a command whose file has changed since is another one.
pytestmark = pytest.mark.process

METRIC = """
from pathlib import Path

def worth(answer, targets):
    "The share that the file beside it names."
    Path(__file__).with_name("ran").touch()
    return SHARE
"""


@pytest.fixture
def ran(tmp_path):
    """A run with a metric of its own, which changes its mind when the run is over."""
    path = write_task(tmp_path / "task", ["majority"], metric="own_metric.py:worth")
    (path.parent / "own_metric.py").write_text(METRIC.replace("SHARE", "0.5"))
    done = harness("run", path, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    (path.parent / "own_metric.py").write_text(METRIC.replace("SHARE", "0.25"))
    (path.parent / "ran").unlink()
    return tmp_path


def named(folder):
    return f"trusted: runs {folder / 'task' / 'own_metric.py'}"


def test_a_report_runs_a_metric_on_trust_alone_and_names_its_file(ran):
    done = harness("report", ran / "run")
    assert done.returncode == 0, done.stderr
    assert rows_of(ran / "run")["majority"]["score"]["value"] == 0.5
    assert "trusted" not in done.stderr
    assert not (ran / "task" / "ran").exists()

    done = harness_process("report", ran / "run", "--trust")
    assert done.returncode == 0, done.stderr
    assert rows_of(ran / "run")["majority"]["score"]["value"] == 0.25
    assert done.stderr.splitlines().count(named(ran)) == 1
    assert (ran / "task" / "ran").exists()


def test_a_comparison_runs_metrics_on_trust_alone_and_names_their_files(ran):
    done = harness("compare", ran / "run", ran / "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (ran / "task" / "ran").exists()

    done = harness("compare", ran / "run", ran / "run", "--trust")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [named(ran)] * 2  # once for each of the two runs
    assert (ran / "task" / "ran").exists()


@pytest.mark.parametrize("command", ["report", "compare"])
def test_where_the_trusted_file_is_gone_one_line_says_so(ran, command):
    (ran / "task" / "own_metric.py").unlink()
    folders = [ran / "run"] * (2 if command == "compare" else 1)
    assert harness(command, *folders).returncode == 0
    done = harness_process(command, *folders, "--trust")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "own_metric.py" in done.stderr.splitlines()[-1]
    assert " → " in done.stderr.splitlines()[-1]


def test_a_run_of_plain_metrics_has_nothing_to_trust(tmp_path):
    path = write_task(tmp_path / "task", ["majority"])
    assert harness("run", path, "--out", tmp_path / "run").returncode == 0
    done = harness("report", tmp_path / "run", "--trust")
    assert (done.returncode, done.stderr) == (0, "")
