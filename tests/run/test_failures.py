"""Every way a strategy can fail is a row with its reason, and the run goes on."""

from __future__ import annotations

import pytest

from harness.analysis import analyse
from harness.store.predictions_file import read_predictions

STRATEGIES = """
import ctypes, os, signal, sys, time
from harness import Prediction, Strategy

class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class FitRaises(Rule):
    def fit(self, train, validation, artifact):
        (artifact / "half").write_text("half")
        raise ValueError("no luck")

class LoadRaises(Rule):
    def load(self, artifact):
        (artifact / "nothing").read_text()

class Exits(Rule):
    def fit(self, train, validation, artifact):
        print("farewell", flush=True)
        os._exit(7)

class Quits(Rule):
    def predict(self, queries):
        sys.exit(0)

class Killed(Rule):
    def load(self, artifact):
        os.kill(os.getpid(), signal.SIGKILL)

class Segfault(Rule):
    def load(self, artifact):
        ctypes.string_at(0)

class NoMemoryToFit(Rule):
    def fit(self, train, validation, artifact):
        bytearray(1 << 60)

class NoMemoryToServe(Rule):
    def predict(self, queries):
        bytearray(1 << 60)

class NoGpuMemory(Rule):
    def fit(self, train, validation, artifact):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

class Hog(Rule):
    def fit(self, train, validation, artifact):
        self.block = b"x" * (400 << 20)
        time.sleep(60)

class OneTooFew(Rule):
    def predict(self, queries):
        return super().predict(queries)[1:]

class Words(Rule):
    def predict(self, queries):
        return ["a" for _ in queries]

class Lazy(Rule):
    def predict(self, queries):
        return (Prediction("a") for _ in queries)

class OneBadItem(Rule):
    def predict(self, queries):
        if any(query.id == "test4" for query in queries):
            raise KeyError("test4")
        return super().predict(queries)

class AllBad(Rule):
    def predict(self, queries):
        raise RuntimeError("never")

class ChangesRows(Rule):
    def fit(self, train, validation, artifact):
        object.__setattr__(train, "examples", train.examples[1:])

class ChangesQueries(Rule):
    def predict(self, queries):
        predictions = super().predict(queries)
        queries.pop()
        return predictions
"""
ENDS = {
    "fitraises": ("failed", "in preparation: ValueError: no luck"),
    "loadraises": ("failed", "FileNotFoundError: "),
    "exits": (
        "failed",
        "the worker ended with exit code 7 and no result; its last words: farewell",
    ),
    "quits": ("failed", "exit code 0 and no result"),
    "killed": ("out_of_memory", "killed by the system"),
    "segfault": ("failed", "signal 11"),
    "nomemorytofit": ("out_of_memory", "in preparation: MemoryError"),
    "nomemorytoserve": ("out_of_memory", "all 8 predictions failed"),
    "nogpumemory": ("out_of_memory", "CUDA out of memory"),
    "hog": ("out_of_memory", "stopped at more than 0.25 GiB (run.memory_gib)"),
    "onetoofew": ("failed", "predict returned 7 predictions for 8 queries"),
    "words": ("failed", "predict returned 'a' where a Prediction was due"),
    "lazy": ("failed", "predict returned generator, not a sequence"),
    "allbad": ("failed", "all 8 predictions failed, the first with: RuntimeError: never"),
    "changesrows": ("failed", "fit changed its training or validation rows"),
    "changesqueries": ("failed", "predict changed its queries"),
}


CLASSES = [
    line.split()[1].split("(")[0] for line in STRATEGIES.splitlines() if line.startswith("class ")
]
CRASHES = ("exits", "quits", "killed", "segfault", "hog")
"""Only a process of its own keeps what comes after them going, or can be stopped."""


@pytest.fixture(scope="module")
def crashed(tiny, run_in_processes, tmp_path_factory):
    """Arms that take their process with them, and a good one last."""
    folder = tmp_path_factory.mktemp("crashes")
    arms = [f"own.py:{name}" for name in CLASSES if name.lower() in CRASHES]
    path = tiny(folder, STRATEGIES, [*arms, "own.py:Rule"], run={"memory_gib": 0.25})
    return run_in_processes(path, folder / "run")


@pytest.fixture(scope="module")
def failed(tiny, run_tiny, tmp_path_factory):
    """Arms that fail within their process, and a good one last."""
    folder = tmp_path_factory.mktemp("failures")
    arms = [f"own.py:{name}" for name in CLASSES if name.lower() not in CRASHES]
    path = tiny(folder, STRATEGIES, [*arms[1:], arms[0]])
    return run_tiny(path, folder / "run")


@pytest.fixture(scope="module")
def outcome(crashed, failed):
    """Records and rows of both by arm; the good arm's of the latter."""
    records = {**crashed[1], **failed[1]}
    rows = [row for folder, _ in (crashed, failed) for row in analyse(folder).arms]
    return records, {row.strategy: row for row in rows}


def test_every_arm_has_a_record_and_a_row(outcome):
    records, rows = outcome
    assert set(records) == set(rows) == {*ENDS, "onebaditem", "rule"}


@pytest.mark.parametrize("arm", ENDS)
def test_a_failure_is_a_row_with_its_status_and_reason(outcome, arm):
    status, reason = ENDS[arm]
    records, rows = outcome
    record = records[arm]
    assert (record.status, rows[arm].status) == (status, status)
    assert reason in record.error
    assert rows[arm].error == record.error
    assert rows[arm].score is None


@pytest.mark.parametrize("run", [pytest.param("crashed", marks=pytest.mark.process), "failed"])
def test_the_arms_after_failing_ones_finish(run, request):
    folder, records = request.getfixturevalue(run)
    assert records["rule"].status == "ok"
    rows = {row.strategy: row for row in analyse(folder).arms}
    assert rows["rule"].score.value == 0.5  # always "a", and half of the rows are


def test_a_failing_item_scores_zero_and_stays(failed, outcome):
    folder, records = failed
    record = records["onebaditem"]
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "predictions.jsonl"
    predictions = read_predictions(path)
    errors = {row_id: p.error for row_id, p in predictions.items() if p.error}
    assert errors == {"test4": "KeyError: 'test4'"}
    assert len(predictions) == 8
    score = outcome[1]["onebaditem"].score
    assert (score.value, score.n) == (3 / 8, 8)  # test4 is an "a" that it would have got right


def test_a_failed_fit_leaves_no_artifact(failed):
    folder, records = failed
    record = records["fitraises"]
    assert not (folder.fit_folder(record.arm, record.fit_id) / "artifact").exists()
    assert "no luck" in (folder.fit_folder(record.arm, record.fit_id) / "stderr.log").read_text()


def test_failed_trials_are_tried_again_and_finished_ones_are_not(failed, run_tiny):
    folder, _ = failed
    task = folder.path.parent / "task.yaml"
    before = folder.records.read_text().splitlines()
    run_tiny(task, folder.path, only=("fitraises", "loadraises", "rule"))
    new = folder.records.read_text().splitlines()[len(before) + 1 :]
    assert ['"fit_reused":true' in line for line in new] == [False, True]
    assert ['"arm":"fitraises"' in new[0], '"arm":"loadraises"' in new[1]] == [True, True]


def test_a_worker_past_its_time_is_stopped(tiny, run_in_processes, tmp_path):
    source = """
import time
from harness import Prediction, Strategy
class Hangs(Strategy):
    def fit(self, train, validation, artifact):
        time.sleep(60)
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
    path = tiny(tmp_path / "task", source, ["own.py:Hangs"], run={"timeout_min": 0.01})
    _, records = run_in_processes(path, tmp_path / "run")
    record = records["hangs"]
    assert record.status == "timeout"
    assert record.error == "in preparation: stopped after 0.01 minutes (run.timeout_min)"
    assert record.serve is None


def test_an_arm_that_cannot_do_the_task_is_refused_with_its_reason(tiny, run_tiny, tmp_path):
    source = """
from harness import Prediction, Strategy
class Writes(Strategy):
    answers = frozenset({"text"})
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
class Searches(Strategy):
    needs_corpus = True
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
    path = tiny(tmp_path / "task", source, ["own.py:Writes", "own.py:Searches"])
    folder, records = run_tiny(path, tmp_path / "run")
    assert records == {}
    errors = {row.strategy: (row.status, row.error) for row in analyse(folder).arms}
    assert errors["writes"] == ("skipped", "does not give answers of kind choice")
    assert errors["searches"][0] == "skipped"
    assert "data.corpus" in errors["searches"][1]
