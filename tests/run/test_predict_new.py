"""A finished arm answers new inputs, wherever its run folder lies and whichever version ran it."""

from __future__ import annotations

import json
import shutil

import pytest
from hand_made import rewritten, unmarked

from harness.errors import RunFolderError, UnknownNameError
from harness.run.opening import Leave
from harness.run.predict_new import answer_with
from harness.store.run_folder import RunFolder
from harness.types import Query

SOURCE = """
from harness import Prediction, Strategy

class Learnt(Strategy):
    needs_train = True

    def fit(self, train, validation, artifact):
        (artifact / "first").write_text(train[0].query.text)

    def load(self, artifact):
        self.first = (artifact / "first").read_text()

    def predict(self, queries):
        return [Prediction(f"{self.first}, {query.text}") for query in queries]
"""


@pytest.fixture
def ran(tiny, run_tiny, tmp_path):
    folder, _ = run_tiny(tiny(tmp_path / "task", SOURCE, ["own.py:Learnt"]), tmp_path / "run")
    return folder


def answered(folder, leave=Leave()):  # noqa: B008
    return answer_with(folder, "learnt", [Query("new", "what now?")], leave)[0].text


def test_a_run_folder_that_was_moved_still_answers(ran, tmp_path):
    moved = RunFolder(shutil.move(ran.path, tmp_path / "elsewhere"))
    assert answered(moved) == "train text 0, what now?"


def test_a_job_of_an_earlier_version_with_whole_paths_still_answers(ran):
    header, trial = map(unmarked, ran.records.read_text().splitlines())
    trial["serve"]["files"] = {}
    rewritten(ran, [header, trial])
    (path,) = ran.path.glob("trials/*/*/*/job.json")
    job = json.loads(path.read_text())
    for name in ("folder", "timeout_s", "memory_bytes"):
        del job[name]
    gone = "/gone/run/trials/learnt"
    old = {"artifact": f"{gone}/artifact", "inputs": "/tmp/harness-x", "train_log": None}
    old |= {"result": f"{gone}/result.json", "predictions": f"{gone}/predictions.jsonl"}
    path.write_text(json.dumps({**job, **old, "scratch": None}))
    assert answered(ran, Leave(trust=True)) == "train text 0, what now?"


def test_what_cannot_answer_is_told_with_what_to_do(ran):
    with pytest.raises(UnknownNameError, match="did you mean 'learnt'"):
        answer_with(ran, "learn", [])
    (artifact,) = ran.path.glob("trials/*/*/artifact")
    shutil.rmtree(artifact)
    with pytest.raises(RunFolderError, match=r"was not kept .* → run the task again with --only"):
        answered(ran)
