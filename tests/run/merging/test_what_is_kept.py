"""What a run holds besides answers is kept: diagnostics, floors, worths, searches, other rows."""

from __future__ import annotations

import json
import shutil
from math import log

import pytest
from hand_made import Arm, right, write_run
from test_real_runs import lasting

from harness.analysis import analyse
from harness.errors import RunFolderError
from harness.run.merging.merge import merge
from harness.store.measured import Measured, write_measured
from harness.store.own_worths import read_worths, write_worths
from harness.store.recorded_files import sha256_now
from harness.store.records import WorkerResult
from harness.store.run_folder import RunFolder, write_jsonl
from harness.types import ModelRef

SOURCE = '''
import json
from pydantic import Field
from harness import Floor, Params, Prediction, Strategy, search

class Rule(Strategy):
    """Says one letter but for every third row."""
    learns = "weights"

    class Params(Params):
        answer: str = "a"
        shift: int = Field(0, json_schema_extra=search([0, 1, 2]))

    @classmethod
    def needs(cls, params):
        return frozenset({"train", "validation"})

    @classmethod
    def floors(cls, params):
        one = "saying one letter", "it learnt nothing"
        return (Floor("own.py:Same", {}, *one), Floor("own.py:Same", {"letter": "b"}, *one))

    def fit(self, train, validation, artifact):
        turn = len(train) + self.context.seed + self.params.shift
        (artifact / "known").write_text(json.dumps([self.params.answer, turn]))
        self.context.log(step=1, train_loss=1.0)

    def load(self, artifact):
        self.said, self.turn = json.loads((artifact / "known").read_text())

    def predict(self, queries):
        other = {"a": "b", "b": "a"}[self.said]
        return [
            Prediction(other if (place + self.turn) % 3 == 0 else self.said)
            for place, _ in enumerate(queries)
        ]

class Same(Strategy):
    """Says one letter."""
    class Params(Params):
        letter: str = "a"

    def predict(self, queries):
        return [Prediction(self.params.letter)] * len(queries)
'''
METRIC = """
def half(answer, targets):
    "Half a point for a right letter."
    return 0.5 * (answer in targets)
"""
ARMS = [
    {"use": "own.py:Rule", "name": "a", "answer": "a"},
    {"use": "own.py:Rule", "name": "b", "answer": "b"},
    {"use": "own.py:Same", "name": "same"},
]
EVERYTHING = {
    "seeds": [0, 1],
    "effort": {"trials": 2},
    "curve": {"sizes": [4], "repeats": 1},
    "noise": 0.3,
    "augment": {"factor": 2, "kinds": ["typo"]},
    "metric": "own_metric.py:half",
    "also": ["accuracy"],
}
ROOMS = ("floors", "own_worths.json", "documents.jsonl", "splits.json", "truth.jsonl")


@pytest.fixture(scope="module")
def everything(tiny, run_tiny, tmp_path_factory):
    """A run of a task that asks for everything, and two runs of parts of it.

    Metrics of the task's own run in processes, as they do for users.
    """
    task, out = tmp_path_factory.mktemp("task"), tmp_path_factory.mktemp("runs")
    path = tiny(task, SOURCE, ARMS, **EVERYTHING)
    (task / "own_metric.py").write_text(METRIC)
    (task / "docs.jsonl").write_text(
        "".join(json.dumps({"id": f"d{n}", "text": f"text {n}"}) + "\n" for n in range(3))
    )
    asked = json.loads(path.read_text())
    asked["data"]["corpus"] = "docs.jsonl"
    path.write_text(json.dumps(asked))
    for name, only in (("whole", []), ("one", ["a"]), ("two", ["b", "same"])):
        run_tiny(path, out / name, only=only)
    return out


def files(folder):
    """The files of a run folder but its lock, by place."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def found_in(folder):
    """A comparison but for what is of one machine at one time, and what follows from times."""
    found = lasting(analyse(folder).model_dump(mode="json"))
    del found["recommendation"]
    found["findings"] = [one for one in found["findings"] if "busy machine" not in one]
    return found


@pytest.mark.process  # the metric's
def test_all_that_a_run_finds_is_in_a_merged_one(everything, tmp_path):
    merged = merge([everything / "one", everything / "two"], tmp_path / "merged")
    whole = RunFolder(everything / "whole")
    assert (merged.told, merged.conflicts) == ((), ())
    assert {record.status for record in merged.folder.trials().values()} == {"ok"}
    assert found_in(merged.folder) == found_in(whole)
    # The floor that is an arm was answered in the place where that arm did not run.
    here, there = files(merged.folder.path), files(whole.path)
    assert here.keys() >= there.keys()
    assert {name.split("/")[0] for name in here.keys() - there.keys()} <= {"floors"}
    for name in ("truth.jsonl", "documents.jsonl", "splits.json"):
        assert here[name].read_bytes() == there[name].read_bytes()
    worths = read_worths(merged.folder.own_worths)["own_metric.py:half"]
    of_one = read_worths(whole.own_worths)["own_metric.py:half"]
    assert worths.worths.items() >= of_one.worths.items()
    comparison = analyse(merged.folder)
    assert [arm.effort is not None for arm in comparison.arms] == [True, True, False]
    assert all(len(arm.floors) == 2 for arm in comparison.arms[:2])
    assert all(arm.diagnostics.robustness for arm in comparison.arms[:2])
    assert comparison.learning_curve


@pytest.mark.process  # the metric's
@pytest.mark.parametrize("name", ["own_worths.json", "documents.jsonl"])
def test_what_is_of_no_trial_is_there_and_whole_or_refused(everything, tmp_path, name):
    for one in ("one", "two"):
        shutil.copytree(everything / one, tmp_path / one)
    folders = [tmp_path / "one", tmp_path / "two"]
    file = tmp_path / "two" / name
    kept = file.read_bytes()
    file.write_bytes(kept[:-9])
    with pytest.raises(RunFolderError, match=rf"{name} is not what was recorded → run the task"):
        merge(folders, tmp_path / "merged")
    file.unlink()
    found = merge(folders, tmp_path / "merged")
    if name == "documents.jsonl":  # the other folder has the same
        assert found.told == ()
        shutil.rmtree(tmp_path / "merged")
        (tmp_path / "one" / name).unlink()
        with pytest.raises(RunFolderError, match=rf"one/{name}: not there → run the task again"):
            merge(folders, tmp_path / "merged")
    else:
        [line] = found.told
        assert "two does not say what its answers are worth by own_metric.py:half" in line
        assert f"→ run the task again with --out {folders[1]}" in line


def test_worths_of_another_function_are_not_taken(everything, tmp_path):
    """A run was killed whose metric had been changed: what is there is of the function before."""
    for one in ("one", "two"):
        shutil.copytree(everything / one, tmp_path / one)
    folder = RunFolder(tmp_path / "one")
    [(name, worths)] = read_worths(folder.own_worths).items()
    wrong = dict.fromkeys(worths.worths, 0.25)
    update = {"source_sha256": "0" * 64, "worths": wrong}
    write_worths(folder.own_worths, {name: worths.model_copy(update=update)})
    merged = merge([folder.path, tmp_path / "two"], tmp_path / "merged").folder
    assert 0.25 not in read_worths(merged.own_worths)[name].worths.values()


MODEL = ModelRef("small", "small", "/nowhere", "1" * 64)
TARGETS = ["yes", "no"] * 30
TUNED = {"learns": "weights", "needs_model": True, "tunes": True, "model": "small"}
OK = WorkerResult(status="ok")


def measured(folder, bits):
    """Lay down what a model says to the general probe, at so many bits a byte."""
    rows = [{"id": f"p{n}", "bytes": 8, "log_likelihoods": [-8 * bits * log(2)]} for n in range(10)]
    rows += [{"id": f"q{n}", "right": 0, "log_likelihoods": [-1, -2]} for n in range(10)]
    folder.mkdir(parents=True)
    write_jsonl(folder / "likelihoods.jsonl", rows)
    kept = {"likelihoods.jsonl": sha256_now(folder / "likelihoods.jsonl")}
    result = OK.model_copy(update={"files": kept})
    write_measured(folder, Measured(of="this probe", result=result))
    return result


def tuned(path, bits, seeds=(0,), first=0):
    """A run of tuned arms, each with its bits after, and validation scores of its trainings.

    Each arm errs on one row more than the one before it; the first one on so many.
    """
    arms = [
        Arm(
            name,
            [right(TARGETS, range(seed + place + first)) for seed in seeds],
            plan=TUNED,
            validation=[0.5 + 0.1 * (seed == 2) for seed in seeds],
        )
        for place, name in enumerate(bits)
    ]
    folder = write_run(path, TARGETS, arms, seeds=seeds, model=MODEL)
    measured(folder.untuned_folder(MODEL, "float32", "cpu"), 1.0)
    for record in list(folder.trials().values()):
        if record.seed == 0:
            probe = measured(
                folder.fit_folder(record.arm, record.fit_id) / "probe", bits[record.arm]
            )
            folder.append(record.model_copy(update={"probe": probe}))
    return folder


def alike(folder):
    found = analyse(folder).model_dump(mode="json")
    return {key: value for key, value in found.items() if key != "run"}


def test_what_arms_forget_is_kept(tmp_path):
    whole = tuned(tmp_path / "whole", {"x": 1.5, "y": 1.25})
    one, two = tuned(tmp_path / "one", {"x": 1.5}), tuned(tmp_path / "two", {"y": 1.25}, first=1)
    merged = merge([one.path, two.path], tmp_path / "merged").folder
    assert alike(merged) == alike(whole)
    changes = [arm.diagnostics.forgetting.bits_per_byte.change for arm in analyse(merged).arms]
    assert changes == pytest.approx([0.5, 0.25])


def test_an_untuned_probe_that_is_whole_counts_before_a_damaged_one(tmp_path):
    one, two = tuned(tmp_path / "one", {"x": 1.5}), tuned(tmp_path / "two", {"y": 1.25})
    place = one.untuned_folder(MODEL, "float32", "cpu")
    (place / "likelihoods.jsonl").write_text("{}\n")
    merged = merge([one.path, two.path], tmp_path / "merged").folder
    x, _ = analyse(merged).arms
    assert x.diagnostics.forgetting.bits_per_byte.change == pytest.approx(0.5)


def test_the_training_to_ship_is_chosen_among_all(tmp_path):
    whole = tuned(tmp_path / "whole", {"x": 1.5}, seeds=[0, 1, 2, 3])
    parts = [tuned(tmp_path / str(n), {"x": 1.5}, seeds=[n, n + 1]).path for n in (0, 2)]
    merged = merge(parts, tmp_path / "merged").folder
    assert alike(merged) == alike(whole)
    assert merged.last_header().merged is not None
