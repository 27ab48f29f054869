"""Killed, interrupted and concurrent runs leave nothing running and lose nothing finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alive import lives

SOURCE = """
import os, subprocess, sys, time
from pathlib import Path
from harness import Prediction, Strategy

HERE = Path(__file__).parent

class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Told(Rule):
    def predict(self, queries):
        return [Prediction(os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]) for _ in queries]

class Waits(Rule):
    def fit(self, train, validation, artifact):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        part = HERE / "pids.part"
        part.write_text(f"{os.getpid()} {child.pid}")
        part.rename(HERE / "pids")
        while (HERE / "wait").exists():
            time.sleep(0.05)
"""


@pytest.fixture
def task(tiny, tmp_path):
    """A task whose second arm fits for as long as a file called "wait" exists."""
    path = tiny(tmp_path / "task", SOURCE, ["own.py:Rule", "own.py:Waits"])
    (path.parent / "wait").touch()
    return path


@pytest.fixture
def start(task, tmp_path):
    """Start `run` and wait until its second arm fits; whatever is left is killed at the end."""
    started = []

    def start():
        (task.parent / "pids").unlink(missing_ok=True)
        process = subprocess.Popen(
            command(task, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(tmp_path)},  # where a killed run leaves its inputs
            # A shell that runs the tests in the background makes its children deaf to Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        started.append(process)
        wait_until((task.parent / "pids").exists)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def command(task, tmp_path):
    words = [sys.executable, "-m", "harness", "run", str(task)]
    return [*words, "--out", str(tmp_path / "run")]


def run(task, tmp_path):
    return subprocess.run(command(task, tmp_path), capture_output=True, text=True, check=False)


def wait_until(true):
    for _ in range(2400):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("waited in vain")


def pids(task):
    return [int(pid) for pid in (task.parent / "pids").read_text().split()]


def statuses(tmp_path):
    """Every trial line of records.jsonl, as arm and status."""
    lines = map(json.loads, (tmp_path / "run/records.jsonl").read_text().splitlines())
    return [(line["arm"], line["status"]) for line in lines if line["kind"] == "trial"]


def none_lives(task):
    return not any(map(lives, pids(task)))


def test_a_worker_and_its_child_end_when_the_parent_is_killed(task, start, tmp_path):
    parent = start()
    assert all(map(lives, pids(task)))
    parent.kill()
    parent.wait()
    wait_until(lambda: none_lives(task))
    # No training rows are left behind: the keeper takes them away once all it kept has ended.
    wait_until(lambda: not list(tmp_path.glob("harness-*")))

    report = [sys.executable, "-m", "harness", "report", str(tmp_path / "run")]
    done = subprocess.run(report, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "killed before it ended → run it again" in done.stderr

    (task.parent / "wait").unlink()  # the dead run's lock is no obstacle, and its arm is reused
    done = run(task, tmp_path)
    assert done.returncode == 0, done.stderr
    assert statuses(tmp_path) == [("rule", "ok"), ("waits", "ok")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_130_and_what_finished_is_reused(
    task, start, tmp_path, number
):
    parent = start()
    parent.send_signal(number)
    _, errors = parent.communicate()
    assert parent.returncode == 130
    assert b"Traceback" not in errors
    assert b"reused" in errors
    assert none_lives(task)
    assert statuses(tmp_path) == [("rule", "ok")]

    (task.parent / "wait").unlink()
    done = run(task, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rule: done before" in done.stdout
    assert statuses(tmp_path) == [("rule", "ok"), ("waits", "ok")]


def test_a_child_that_a_strategy_leaves_behind_does_not_outlive_its_half(task, tmp_path):
    (task.parent / "wait").unlink()
    done = run(task, tmp_path)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: none_lives(task))


@pytest.mark.parametrize(("own", "found"), [(None, "64"), ("7", "7")])
def test_a_worker_keeps_few_compiled_kernels_unless_its_user_wants_more(
    tiny, run_in_processes, tmp_path, monkeypatch, own, found
):
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.setenv(name, own) if own else monkeypatch.delenv(name, raising=False)
    folder, _ = run_in_processes(tiny(tmp_path, SOURCE, ["own.py:Told"]), tmp_path / "run")
    (written,) = folder.path.glob("trials/*/*/*/predictions.jsonl")
    assert {json.loads(line)["text"] for line in written.read_text().splitlines()} == {found}


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_lasts(task, start, tmp_path):
    first = start()
    before = (tmp_path / "run/records.jsonl").read_bytes()
    second = run(task, tmp_path)
    assert second.returncode == 2
    assert f"is in use by process {first.pid}" in second.stderr
    assert "--out" in second.stderr
    assert (tmp_path / "run/records.jsonl").read_bytes() == before
    assert lives(pids(task)[0])


def test_the_parent_does_not_spin_while_a_worker_works(task, start):
    parent = start()

    def cpu_s():
        fields = Path(f"/proc/{parent.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = cpu_s()
    time.sleep(2)
    assert cpu_s() - before < 0.2
