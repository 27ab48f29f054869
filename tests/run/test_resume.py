"""One small change each, and exactly what is done again because of it."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.store.checksum import checked, with_checksum
from harness.store.records import TrialRecord
from harness.store.run_folder import RunFolder, read_jsonl

SOURCE = """
from harness import Params, Prediction, Strategy

class Rule(Strategy):
    class Params(Params):
        answer: str = "a"

    def fit(self, train, validation, artifact):
        (artifact / "answer").write_text(self.params.answer)

    def load(self, artifact):
        self.answer = (artifact / "answer").read_text()

    def predict(self, queries):
        return [Prediction(self.answer) for _ in queries]
"""
PRICES = """
machines:
  - {name: any, usd_per_hour: 1.0, source: an invoice, read_on: 2026-01-01, stands_for: {}}
"""


@pytest.fixture(scope="module")
def finished(tiny, run_tiny, tmp_path_factory):
    """A task that was run once; tests copy it."""
    folder = tmp_path_factory.mktemp("resume")
    arms = [{"use": "own.py:Rule", "answer": "a"}]
    data = {f"{name}": f"{name}.jsonl" for name in ("train", "validation", "test")}
    data |= {"input": "text", "target": "label", "visible": ["day"]}
    path = tiny(folder, SOURCE, arms, data=data, prices="prices.yaml")
    (folder / "prices.yaml").write_text(PRICES)
    run_tiny(path, folder / "run")
    return folder


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the run, with a copy of its task; change it and run it again."""
    return shutil.copytree(finished, tmp_path / "copy")


def edit(name, old, new):
    def change(folder):
        text = (folder / name).read_text()
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new))

    return change


def configure(**changes):
    def change(folder):
        task = json.loads((folder / "task.yaml").read_text())
        (folder / "task.yaml").write_text(json.dumps(task | changes))

    return change


def nothing(folder):
    pass


def touched(folder):
    for file in folder.iterdir():
        file.touch()


LABELS = {"a": "first", "b": "second!"}
CHANGES = {
    "nothing": (nothing, "reused"),
    "dates of files": (touched, "reused"),
    "a training input": (edit("train.jsonl", "train text 3", "train text x"), "fitted"),
    "a training target": (
        edit("train.jsonl", 'text 3", "label": "b"', 'text 3", "label": "a"'),
        "fitted",
    ),
    "a training id": (edit("train.jsonl", '"train3"', '"trainx"'), "fitted"),
    "a validation input": (edit("validation.jsonl", "n text 3", "n text x"), "fitted"),
    "a parameter": (configure(strategies=[{"use": "own.py:Rule", "answer": "b"}]), "fitted"),
    "the strategy's source": (edit("own.py", "self.answer = (", "self.answer  = ("), "fitted"),
    "the seed": (configure(seeds=[1]), "fitted"),
    "the instruction": (configure(instruction="Which letter!"), "fitted"),
    "a label's description": (configure(answer={"kind": "choice", "labels": LABELS}), "fitted"),
    "max_new_tokens": (configure(generation={"max_new_tokens": 65}), "fitted"),
    "the arm's name": (
        configure(strategies=[{"use": "own.py:Rule", "name": "other", "answer": "a"}]),
        "fitted",
    ),
    "a test input": (edit("test.jsonl", "test text 3", "test text x"), "served"),
    "a test id": (edit("test.jsonl", '"test3"', '"testx"'), "served"),
    "a visible column of a test row": (edit("test.jsonl", '"day": "3"', '"day": "4"'), "served"),
    "a test target": (
        edit("test.jsonl", 'text 3", "label": "b"', 'text 3", "label": "a"'),
        "reused",
    ),
    "a limit": (configure(limits={"min_score": 0.9}), "reused"),
    "the margin": (configure(margin=0.2), "reused"),
    "a price": (edit("prices.yaml", "1.0", "2.0"), "reused"),
    "the traffic": (configure(traffic={"requests_per_month": 10}), "reused"),
    "a time limit": (configure(run={"timeout_min": 61}), "reused"),
}


def done_again(folder, before):
    """Tell from the new lines of records.jsonl what was done again."""
    lines = (folder / "run/records.jsonl").read_text().splitlines()
    assert lines[: len(before)] == before  # records are only ever added
    header, *trials = map(json.loads, lines[len(before) :])
    assert header["kind"] == "header"
    if not trials:
        return "reused"
    (trial,) = trials
    assert trial["status"] == "ok"
    return "served" if trial["fit_reused"] else "fitted"


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_has_done_again_what_depends_on_it_and_no_more(again, run_tiny, what):
    change, expected = CHANGES[what]
    before = (again / "run/records.jsonl").read_text().splitlines()
    change(again)
    run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == expected


def test_a_limit_on_rows_serves_again_and_lifting_it_reuses_both(again, run_tiny):
    path, out = again / "task.yaml", again / "run"
    before = (out / "records.jsonl").read_text().splitlines()
    run_tiny(path, out, limit=4)
    assert done_again(again, before) == "served"
    assert len(read_jsonl(out / "truth.jsonl")) == 4
    for limit in (None, 4):
        before = (out / "records.jsonl").read_text().splitlines()
        run_tiny(path, out, limit=limit)
        assert done_again(again, before) == "reused"


def test_a_changed_target_reaches_the_analysis_without_a_rerun(again, run_tiny):
    edit("test.jsonl", 'text 3", "label": "b"', 'text 3", "label": "a"')(again)
    folder, _ = run_tiny(again / "task.yaml", again / "run")
    assert {row["id"]: row["targets"] for row in read_jsonl(folder.truth)}["test3"] == ["a"]


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_predictions_that_are_not_those_on_record_are_made_again(again, run_tiny, harm):
    (path,) = (again / "run").rglob("predictions.jsonl")
    honest = path.read_text()
    path.unlink() if harm == "missing" else path.write_text(honest.replace('"a"', '"b"', 1))
    before = (again / "run/records.jsonl").read_text().splitlines()
    run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == "served"
    assert path.read_text() == honest


def test_a_fit_whose_artifact_is_gone_is_done_again_when_it_is_needed(again, run_tiny):
    (artifact,) = (again / "run").rglob("artifact")
    shutil.rmtree(artifact)
    before = (again / "run/records.jsonl").read_text().splitlines()
    run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == "reused"
    edit("test.jsonl", "test text 3", "test text x")(again)
    before = (again / "run/records.jsonl").read_text().splitlines()
    run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == "fitted"


def test_a_second_seed_runs_beside_the_first(again, run_tiny):
    configure(seeds=[0, 1])(again)
    before = (again / "run/records.jsonl").read_text().splitlines()
    folder, _ = run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == "fitted"
    assert sorted(record.seed for record in folder.trials().values()) == [0, 1]


def test_two_arms_alike_but_for_their_names_are_two_trials(again, run_tiny):
    twin = {"use": "own.py:Rule", "name": "twin", "answer": "a"}
    configure(strategies=[{"use": "own.py:Rule", "answer": "a"}, twin])(again)
    before = (again / "run/records.jsonl").read_text().splitlines()
    for expected in ("fitted", "reused"):
        _, records = run_tiny(again / "task.yaml", again / "run")
        assert done_again(again, before) == expected
        assert set(records) == {"rule", "twin"}
        before = (again / "run/records.jsonl").read_text().splitlines()


def test_a_record_cut_off_anywhere_is_as_good_as_never_written(finished, tmp_path):
    """A killed writer leaves any number of bytes, also half a character."""
    content = (finished / "run/records.jsonl").read_bytes()
    folder = RunFolder(tmp_path)
    header, trial = RunFolder(finished / "run").last_header(), content.split(b"\n")[1]
    record = TrialRecord.model_validate(checked(trial))
    record = record.model_copy(update={"error": "… → “cut”}\u2028"})
    trial = with_checksum(record.model_dump_json()).encode()
    begin = content.split(b"\n")[0] + b"\n"
    for cut in range(1, len(trial)):
        folder.forget_records()
        folder.records.write_bytes(begin + trial[:cut])
        assert (len(folder.headers()), len(folder.trials())) == (1, 0)
        if cut % 50 == 0 or trial[cut - 1 : cut] == b"}":
            folder.append(header)
            assert (len(folder.headers()), len(folder.trials())) == (2, 0)
    folder.forget_records()
    folder.records.write_bytes(begin + trial)  # only the line's end is missing
    folder.append(header)
    assert (len(folder.headers()), len(folder.trials())) == (2, 1)


def test_a_run_goes_on_after_a_cut_off_record(again, run_tiny):
    records = again / "run/records.jsonl"
    records.write_bytes(records.read_bytes()[:-100])
    before = records.read_text().splitlines()[:-1]
    run_tiny(again / "task.yaml", again / "run")
    assert done_again(again, before) == "served"


INTERRUPTED = """
from pathlib import Path
from harness import Prediction, Strategy

class Long(Strategy):
    def fit(self, train, validation, artifact):
        scratch = self.context.scratch
        half = scratch / "half"
        if half.is_file():
            (scratch / "resumed_s").write_text("1000")
        else:
            scratch.mkdir()
            half.write_text("half the work")
            self.context.log(step=1)
        if not (Path(__file__).parent / "power").is_file():
            raise OSError("the power went off")
        self.context.log(step=2)
        (artifact / "whole").write_text(half.read_text() + " and the rest")

    def load(self, artifact):
        self.text = (artifact / "whole").read_text()

    def predict(self, queries):
        return [Prediction(self.text) for _ in queries]
"""


def test_an_interrupted_fit_goes_on_and_counts_all_its_time(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, INTERRUPTED, [{"use": "own.py:Long"}])
    folder, records = run_tiny(path, tmp_path / "run")
    (record,) = records.values()
    assert record.status == "failed"
    (scratch,) = folder.path.rglob("scratch")
    (tmp_path / "power").touch()
    _, records = run_tiny(path, tmp_path / "run")
    (record,) = records.values()
    assert record.status == "ok"
    fit = next(m for m in record.fit.measurements if m.phase == "fit")
    assert 1000 < fit.wall_s < 1060
    assert not scratch.exists()
    (log,) = folder.path.rglob("train_log.jsonl")
    assert [row["step"] for row in read_jsonl(log)] == [1, 2]
    (predictions,) = folder.path.rglob("predictions.jsonl")
    assert read_jsonl(predictions)[0]["text"] == "half the work and the rest"
