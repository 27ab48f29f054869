"""A spy that records all it can see, in both halves of two invocations, never sees the answers."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SPY = """
import dataclasses, gc, json, os, sys
from pathlib import Path
from harness import Example, Floor, Params, Prediction, Strategy

def texts_of_files(folder):
    files = [p for p in Path(folder).rglob("*") if p.is_file()]
    return {str(p): p.read_bytes().decode("utf-8", "replace") for p in files}

class Spy(Strategy):
    class Params(Params):
        dump: str
        floor: bool = False

    asked = "predict"

    @classmethod
    def floors(cls, params):
        again = {"dump": params.dump, "floor": True}
        return () if params.floor else (Floor("spy.py:Spy", again, "to look", "it is blind"),)

    def fit(self, train, validation, artifact):
        self.record("fit", artifact, {"train": repr(train), "validation": repr(validation)})
        (artifact / "nothing").write_text("nothing")

    def load(self, artifact):
        self.artifact = artifact

    def predict(self, queries):
        if len(queries) > 1:
            seen = {"queries": repr([dataclasses.asdict(q) for q in queries])}
            self.record(self.asked, self.artifact, seen)
            self.asked = "again"
        return [Prediction("?") for _ in queries]

    def record(self, half, artifact, seen):
        seen["context"] = repr(vars(self.context))
        seen["environment"] = repr(dict(os.environ))
        seen["argv"] = repr(sys.argv) + Path("/proc/self/cmdline").read_text()
        seen["working directory"] = texts_of_files(".")
        seen["run folder"] = texts_of_files(
            next(place for place in artifact.parents if (place / "records.jsonl").is_file())
        )
        seen["objects"] = repr([o for o in gc.get_objects() if type(o) in (list, dict, tuple)
                                and len(o) < 50 and any(type(i) is str for i in o)])
        seen["examples"] = repr([o for o in gc.get_objects() if type(o) is Example])
        half = f"floor {half}" if self.params.floor else half
        dump = Path(self.params.dump) / f"{half}-{len(os.listdir(self.params.dump))}.json"
        dump.write_text(json.dumps(seen))
"""
FIRST = ["fit-0", "predict-1", "again-2", "floor fit-3", "floor predict-4"]
"""In an invocation: both halves, the same queries in another order, and a floor's one process."""
SECOND = ["fit-5", "predict-6", "again-7", "floor fit-8", "floor predict-9"]
SECRETS = ("TARGET", "SLICE", "CLUSTER", "UNNAMED")


def task(folder, question):
    def rows(split, n):
        for i in range(n):
            row = {"id": f"{split}{i}", "text": f"{split} {question} {i}", "seen": f"SEEN {i}"}
            hidden = ("TARGET", "SLICE", "CLUSTER", "UNNAMED") if split == "test" else ("x",) * 4
            columns = ("target", "slice", "author", "unnamed")
            yield row | {c: f"{h}-{i}" for c, h in zip(columns, hidden, strict=True)}

    for split, n in (("train", 5), ("validation", 3), ("test", 6)):
        text = "".join(json.dumps(row) + "\n" for row in rows(split, n))
        (folder / f"{split}.jsonl").write_text(text)
    data = {split: f"{split}.jsonl" for split in ("train", "validation", "test")}
    data |= {"input": "text", "target": "target", "visible": ["seen"], "slices": ["slice"]}
    spec = {
        "name": "watched",
        "instruction": "What is it?",
        "answer": {"kind": "text"},
        "data": {**data, "cluster": "author"},
        "metric": "exact_match",
        "strategies": [{"use": "spy.py:Spy", "dump": str(folder / "dumps")}],
    }
    (folder / "task.yaml").write_text(json.dumps(spec))


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """What the spy saw in two invocations, the second beside an earlier run's reports."""
    folder = tmp_path_factory.mktemp("blindness")
    (folder / "dumps").mkdir()
    (folder / "spy.py").write_text(SPY)
    (folder / "user").mkdir()
    for question in ("question", "other question"):
        task(folder, question)
        command = [sys.executable, "-m", "harness", "run", str(folder / "task.yaml")]
        command += ["--out", str(folder / "run")]
        subprocess.run(command, cwd=folder / "user", check=True)
    return {file.stem: json.loads(file.read_text()) for file in (folder / "dumps").iterdir()}


def test_the_spy_saw_both_halves_and_an_earlier_runs_results(dumps):
    assert sorted(dumps) == sorted(FIRST + SECOND)
    left = {name.rsplit("/", 1)[1] for name in dumps["predict-6"]["run folder"]}
    assert {"job.json", "records.jsonl", "comparison.json", "report.md"} <= left
    # They hold the right answers of test rows, and are written anew at the end.
    assert not {"report.html", "row_scores.jsonl", "truth.jsonl"} & left
    assert "TARGET" not in "".join(left)


def test_the_spy_saw_what_it_is_meant_to_see(dumps):
    assert "train question 4" in dumps["fit-0"]["train"]
    assert "SEEN 4" in dumps["fit-0"]["train"]
    assert "test question 5" in dumps["predict-1"]["queries"]
    assert "SEEN 5" in dumps["predict-1"]["queries"]
    assert "test other question 5" in dumps["predict-6"]["objects"]  # the search for objects works


@pytest.mark.parametrize("half", FIRST + SECOND)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_target_slice_cluster_or_unnamed_column_of_a_test_row_is_in_sight(dumps, half, secret):
    places = {place: text for place, text in dumps[half].items() if isinstance(text, str)}
    for place in ("working directory", "run folder"):
        places |= dumps[half][place]
    found = [place for place, text in places.items() if f"{secret}-" in text]
    if secret == "SLICE" and half in SECOND:
        # An earlier report names the slices it sums up, and says of no row which it is in.
        reports = ("/comparison.json", "/report.md", "/report.html", "objects")
        found = [place for place in found if not place.endswith(reports)]
    assert found == []


def test_a_fit_sees_no_test_input_and_an_earlier_run_leaves_none(dumps):
    for half in ("fit-0", "fit-5"):
        assert "test question" not in json.dumps(dumps[half])


def test_serving_sees_no_training_row_that_the_artifact_does_not_hold(dumps):
    for half in ("predict-1", "predict-6"):
        assert "train question" not in json.dumps(dumps[half])
