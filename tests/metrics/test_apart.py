"""A task's own metric in a process of its own: it ends that one, and no other."""

from __future__ import annotations

import json

import pytest
from command_line import harness_process, write_task

from harness.errors import UserError
from harness.metrics import Items
from harness.metrics.apart import Scorer, find_metric_apart

# What these do ends the process that they do it in: no cheaper test could tell.
pytestmark = pytest.mark.process

HEAD = """
import ctypes, json, os, signal, subprocess, sys, threading, time

def worth(answer, targets):
    \"\"\"Whether the answer is one of the targets.\"\"\"
    if answer == "odd":
"""
ODD = {
    "os._exit(0)": "ended its process with exit code 0 near the item 'odd'",
    "sys.exit(0)": "failed on the item 'odd', answer 'odd': SystemExit(0)",
    "raise KeyboardInterrupt": "KeyboardInterrupt()",
    "ctypes.string_at(0)": "ended its process with SIGSEGV",
    "os.kill(os.getpid(), signal.SIGKILL)": "ended its process with SIGKILL",
    "os.closerange(3, 4096)": "ended its process with exit code 1",
    "json.dumps = None; return 1": None,
    "print('words ' * 10**6); return 1": None,
    "os.write(1, b'{\"worths\": [1]}\\n'); return 0.5": None,
    "threading.Thread(target=time.sleep, args=(600,)).start(); return 1": None,
    "sys.stdin.read(); return 1": None,
    "subprocess.Popen(['sleep', '600']); return 1": None,
    "return float('nan')": "returned nan",
    "return 'much'": "returned 'much'",
    "return 10 ** 400": "returned 1000000",
    "return worth(answer, targets)": "RecursionError",
}


@pytest.mark.parametrize("case", ODD)
def test_what_it_does_on_one_answer_is_that_answers_fault_alone(tmp_path, case):
    source = f"{HEAD}        {case}\n    return float(answer in targets)\n"
    (tmp_path / "own.py").write_text(source)
    scorer = Scorer("own.py:worth", tmp_path)
    try:
        odd = Items(["odd"], [("a",)], ids=["odd"])
        if (words := ODD[case]) is not None:
            with pytest.raises(UserError) as caught:
                scorer.worths(odd)
            assert words in str(caught.value)
        else:
            assert 0 <= scorer.worths(odd)[0] <= 1
        sound = Items(["a", "b", None], [("a",), ("a",), ("a",)], ids=["1", "2", "3"])
        assert scorer.worths(sound) == [1, 0, 0]
    finally:
        scorer.end()


def test_neither_finding_it_nor_its_summary_runs_it(tmp_path):
    (tmp_path / "own.py").write_text(f"{HEAD}        pass\nraise SystemExit(0)\n")
    found = find_metric_apart("own.py:worth", tmp_path)
    assert found.summary == "Whether the answer is one of the targets."


METRIC = """
import os, sys

def worth(answer, targets):
    if answer == "rain" and targets == ("sun",):  # no made-up item is
        ACT
    return 1.0
"""


@pytest.mark.parametrize("act", ["os._exit(0)", "sys.exit(0)"])
def test_a_gate_is_never_green_for_a_metric_that_exits(tmp_path, act):
    path = write_task(tmp_path / "task", ["majority"], metric="metric.py:worth")
    (path.parent / "metric.py").write_text(METRIC.replace("ACT", act))
    done = harness_process("run", path, "--out", tmp_path / "run", "--gate")
    assert done.returncode in (2, 3), done.stderr
    assert "metric 'metric.py:worth'" in done.stdout + done.stderr
    assert (tmp_path / "run/records.jsonl").is_file()


def test_what_a_plugin_registered_for_the_end_decides_no_exit_code(tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Echo"], limits={"min_score": 1.0})
    source = (path.parent / "own.py").read_text()
    end = "import atexit, os, sys\natexit.register(os._exit, 0)\n"
    end += "sys.excepthook = lambda *_: os._exit(0)\n"
    (path.parent / "own.py").write_text(f"{end}{source}")
    rows = [json.loads(line) for line in (path.parent / "test.jsonl").read_text().splitlines()]
    wrong = [{**row, "label": "sun" if row["label"] == "rain" else "rain"} for row in rows]
    (path.parent / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in wrong))
    done = harness_process("run", path, "--out", tmp_path / "run", "--gate")
    assert "This task runs code of its own: own.py" in done.stderr
    assert done.returncode == 3, done.stderr
    assert (tmp_path / "run/report.html").is_file()
