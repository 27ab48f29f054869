"""A task's own code is named and tried in a process of its own before this one imports it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.errors import TaskError
from harness.task import load_task
from harness.task.code_check import CodeCheck, Limits

# Only a process of its own survives what these do: a cheaper test could not tell.
pytestmark = pytest.mark.process

GOOD = """
import math
from harness import Params, Prediction, Strategy

class Rule(Strategy):
    class Params(Params):
        answer: str = "a"

    def predict(self, queries):
        return [Prediction(self.params.answer) for _ in queries]

def close(answer, targets):
    return float(answer in targets)
"""
HEAD = """
import atexit, builtins, ctypes, json, os, signal, subprocess, sys, threading, time
from harness import Estimate, Params, Prediction, Strategy

class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
ON_IMPORT = {
    "os._exit(0)": "importing it ends the process with exit code 0 (bad.py:",
    "sys.exit(0)": "which would end the whole command → return or raise instead",
    "sys.exit()": "SystemExit()",
    "raise KeyboardInterrupt": "KeyboardInterrupt() (bad.py:",
    "raise GeneratorExit": "GeneratorExit()",
    "raise BaseException('x')": "BaseException('x')",
    "1 / 0": "ZeroDivisionError",
    "import no_such_module": "No module named 'no_such_module'",
    "def (": "SyntaxError",
    "ctypes.string_at(0)": "ends the process with SIGSEGV (bad.py:",
    "os.abort()": "SIGABRT (bad.py:",
    "os.kill(0, signal.SIGKILL)": "SIGKILL",
    "time.sleep(60)": "importing it takes longer than 5 seconds",
    "block = b'x' * (600 << 20); time.sleep(60)": "takes more than 0.488 GiB of memory",
    "print('words ' * 10**6)": "prints more than 256 KiB",
    "os.write(2, b'x' * 10**7)": "prints more than 256 KiB",
    "json.dumps = None": "puts something else in place of json.dumps",
    "time.time = lambda: 0": "puts something else in place of time.time",
    "builtins.open = None": "in place of open",
    "os.replace = os.rename": "in place of os.replace",
    "threading.Thread(target=time.sleep, args=(60,)).start()": "leaves a thread running",
    "def f(): return f()\nf()": "RecursionError",
    "os.closerange(0, 100); os._exit(0)": "exit code 0",
    "atexit.register(os._exit, 0)": None,
    "os.chdir('/')": None,
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)": None,
    "os.environ['NEW'] = 'x'": None,
}
OF_CLASS = {
    "needs = classmethod(lambda c, p: 1 / 0)": "its `needs` failed: ZeroDivisionError",
    "needs = classmethod(lambda c, p: sys.exit(0))": "its `needs` failed: SystemExit(0)",
    "needs = classmethod(lambda c, p: os._exit(0))": "its needs, parts and models ends the",
    "needs = classmethod(lambda c, p: 'model')": "its `needs` is 'model' → return a frozenset of",
    "needs = classmethod(lambda c, p: {'modle'})": "its `needs` is {'modle'}",
    "needs = classmethod(lambda c, p: None)": "its `needs` is None",
    "parts = classmethod(lambda c, p: 3)": "its `parts` failed: TypeError",
    "parts = classmethod(lambda c, p: ['majority'])": "its `parts` is 'majority'",
    "parts = classmethod(lambda c, p: [('bad.py:Bad', {})])": "strategies that build strategies",
    "parts = classmethod(lambda c, p: [('no_such', {})])": "no strategy is called 'no_such'",
    "parts = classmethod(lambda c, p: ctypes.string_at(0))": "SIGSEGV",
    "models = classmethod(lambda c, p: [1])": "its `models` is [1]",
    "fit_usd = classmethod(lambda c, p: float('nan'))": "its `fit_usd` is nan",
    "fit_usd = classmethod(lambda c, p: -1)": "its `fit_usd` is -1",
    "fit_usd = classmethod(lambda c, p: 'free')": "its `fit_usd` is 'free'",
    "complexity = 'simple'": "its `complexity` is 'simple'",
    "learns = 'everything'": "its `learns` is 'everything'",
    "answers = frozenset({'number'})": "its `answers` is frozenset({'number'})",
    "provides = {'magic'}": "its `provides` is {'magic'}",
    "Params = 3": "its Params → derive them from harness.Params",
    "Params = type('P', (Params,), {'__init__': lambda s, **k: sys.exit(0)})": "its Params failed",
    "Params = type('P', (Params,), {'__init__': lambda s, **k: os._exit(0)})": "its Params ends",
    "floors = classmethod(lambda c, p: os._exit(0))": "its floors ends the process",
    "floors = classmethod(lambda c, p: 1 / 0)": None,
    "estimate = classmethod(lambda c, p, s: os._exit(0))": "its estimate ends the process",
    "estimate = classmethod(lambda c, p, s: time.sleep(60))": "its estimate takes longer than 5",
    "estimate = classmethod(lambda c, p, s: 1 / 0)": None,
    "predict = None": None,
}
METRICS = {
    "return 1 / 0": "failed on the item 'made up 1', answer 'a': ZeroDivisionError",
    "return float('nan')": "returned nan for the item",
    "return None": "returned None",
    "return 2": "returned 2",
    "return '1'": "returned '1'",
    "return -0.1": "returned -0.1",
    "sys.exit(0)": "which would end the whole command → return or raise instead",
    "os._exit(0)": "scoring two made-up items ends the process with exit code 0 (bad.py:",
    "ctypes.string_at(0)": "SIGSEGV (bad.py:",
    "time.sleep(60)": "takes longer than 5 seconds",
    "raise KeyboardInterrupt": "KeyboardInterrupt()",
    "return worth(answer, targets)": "RecursionError",
    "json.dumps = None; return 1": "puts something else in place of json.dumps",
    "targets = list(targets); return 1": None,
}


def write_task(folder: Path, arms: list, metric: str = "accuracy", **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    rows = [{"id": f"r{i}", "text": f"text {i}", "label": "ab"[i % 2]} for i in range(6)]
    for name in ("train", "test"):
        lines = [json.dumps({**row, "id": f"{name}{row['id']}"}) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    task = {
        "name": "t",
        "instruction": "Which?",
        "answer": {"kind": "choice", "labels": ["a", "b"]},
        "data": {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"},
        "metric": metric,
        "strategies": arms,
    }
    (folder / "task.yaml").write_text(json.dumps(task, indent=1))
    return folder / "task.yaml"


LIMITS = Limits(step_s=5, memory_bytes=500 << 20, printed_bytes=256 << 10)


def faults_of(path: Path) -> tuple[list[str], list[str]]:
    """What is said before, and the faults."""
    said: list[str] = []
    try:
        load_task(path, CodeCheck(said.append, LIMITS))
    except TaskError as problem:
        return said, [str(fault) for fault in problem.faults]
    return said, []


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def bad_arms(tmp_path_factory):
    """One task of all these strategies, each in a file of its own, and a good one: its faults."""
    folder = tmp_path_factory.mktemp("arms")
    arms = [{"use": "own.py:Rule", "name": "good"}, {"use": "majority", "name": "ours"}]
    for number, case in enumerate([*ON_IMPORT, *OF_CLASS]):
        own = case.replace("bad.py:Bad", f"{number}/bad.py:Bad")
        body = f"class Bad(Rule):\n    {own}\n" if case in OF_CLASS else f"{own}\nBad = Rule\n"
        (folder / str(number)).mkdir()
        (folder / str(number) / "bad.py").write_text(f"{HEAD}\n{body}")
        arms.append({"use": f"{number}/bad.py:Bad", "name": f"arm{number}"})
    said, faults = faults_of(write_task(folder, arms, own=GOOD))
    return said, {int(re.search(r" strategies\.(\d+):", fault)[1]): fault for fault in faults}


CASES = {**ON_IMPORT, **OF_CLASS}


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_whatever_a_strategy_does_before_a_run_is_a_fault_of_the_task(bad_arms, number, case):
    _, faults = bad_arms
    fault, words = faults.get(number + 2), CASES[case]
    if words is None:  # that harms nobody
        assert fault is None
        return
    assert words in fault
    assert " → " in fault or "known: " in fault
    assert "task.yaml:" in fault


def test_the_strategies_beside_them_have_no_fault(bad_arms):
    said, faults = bad_arms
    assert not faults.keys() & {0, 1}
    assert said[0].startswith("This task runs code of its own: own.py, 0/bad.py, 1/bad.py, ")
    assert len(said) == 1


@pytest.mark.parametrize("case", METRICS)
def test_whatever_a_metric_does_before_a_run_is_a_fault_of_the_task(tmp_path, case):
    words = METRICS[case]
    source = f"{HEAD}\ndef worth(answer, targets):\n    {case}\n"
    _, faults = faults_of(write_task(tmp_path, ["majority"], "bad.py:worth", bad=source))
    if words is None:
        assert faults == []
        return
    [fault] = faults
    assert " metric: " in fault
    assert words in fault
    assert " → " in fault


def test_a_task_of_data_alone_starts_no_process_and_says_nothing(tmp_path, monkeypatch):
    path = write_task(tmp_path, ["majority", {"use": "tfidf", "name": "words"}], "macro_f1")
    monkeypatch.setattr("subprocess.Popen", None)
    assert faults_of(path) == ([], [])


def test_good_code_is_tried_once_until_it_or_its_parameters_change(tmp_path, monkeypatch):
    tried = []
    begin = CodeCheck._faults
    monkeypatch.setattr(CodeCheck, "_faults", lambda *a: [tried.append(1), *begin(*a)][1:])
    arm = {"use": "own.py:Rule", "name": "rule"}

    def look(given: list, source: str) -> int:
        assert faults_of(write_task(tmp_path, given, "own.py:close", own=source))[1] == []
        return len(tried)

    assert [look([arm], GOOD), look([arm], GOOD)] == [1, 1]
    assert look([{**arm, "answer": "b"}], GOOD) == 2
    assert look([{**arm, "answer": "b"}], GOOD + "# another\n") == 3
    assert look([arm], GOOD) == 3


def test_faults_of_code_and_of_keys_are_told_together(tmp_path):
    path = write_task(tmp_path, ["bad.py:Rule", "no_such"], "own.py:clse", own=GOOD, bad="1 / 0")
    _, faults = faults_of(path)
    told = "\n".join(faults)
    assert "ZeroDivisionError" in told
    assert "no strategy is called 'no_such'" in told
    assert "did you mean 'close'" in told


def test_parts_and_parameters_that_name_code_count_too(tmp_path):
    arm = {"use": "cascade", "cheap": "bad.py:Rule", "name": "both"}
    said, faults = faults_of(write_task(tmp_path, [arm], bad="import os\nos._exit(0)\n"))
    assert said == ["This task runs code of its own: bad.py"]
    assert "ends the process with exit code 0 (bad.py:2)" in faults[0]
