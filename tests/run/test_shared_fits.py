"""What an arm builds and another arm fits by itself is fitted once, whichever stands first."""

from __future__ import annotations

from itertools import permutations

import pytest
from scripted_server import Script, fails, reply, serving

from harness.analysis import analyse
from harness.run.environment import Setting, header
from harness.run.shared_fits import built_by, parts_first
from harness.store.run_folder import read_jsonl
from harness.task import load_task

SOURCE = """
import time, uuid
from pathlib import Path
from harness import Params, Prediction, Strategy

HERE = Path(__file__).parent

class Slow(Strategy):
    class Params(Params):
        answer: str = "a"

    def fit(self, train, validation, artifact):
        time.sleep(0.3)
        with (HERE / "fits").open("a") as fits:
            fits.write(f"{self.params.answer}\\n")
        (artifact / "own").write_text(uuid.uuid4().hex)

    def load(self, artifact):
        self.own = (artifact / "own").read_text()

    def predict(self, queries):
        return [Prediction(self.params.answer) for _ in queries]

class Builder(Strategy):
    part = "own.py:Slow", {"answer": "b"}

    @classmethod
    def parts(cls, params):
        return (cls.part,)

    def fit(self, train, validation, artifact):
        (artifact / "part").mkdir(exist_ok=True)
        self.built().fit(train, validation, artifact / "part")

    def load(self, artifact):
        self.of = self.built()
        self.of.load(artifact / "part")

    def predict(self, queries):
        return self.of.predict(queries)

    def built(self):
        return self.context.build(*self.part, "part")

class Whole(Builder):
    part = "own.py:Builder", {}

class Held(Builder):
    part = "tfidf", {}

class Chosen(Builder):
    part = "few_shot", {"shots": [1, 2], "select": "random"}
"""
SLOW = {"use": "own.py:Slow", "answer": "b"}


def fits(folder):
    return (folder / "fits").read_text().split()


def made(folder, arm):
    (file,) = folder.glob(f"run/trials/{arm}/*/artifact/**/own")
    return file.read_text()


def fit_s(record):
    return next(m.wall_s for m in record.fit.measurements if m.phase == "fit")


@pytest.mark.parametrize("arms", [["own.py:Builder", SLOW], [SLOW, "own.py:Builder"]])
def test_a_part_is_fitted_once_whichever_arm_stands_first(tiny, run_tiny, tmp_path, arms):
    path = tiny(tmp_path, SOURCE, arms)
    folder, records = run_tiny(path, tmp_path / "run")
    assert {record.status for record in records.values()} == {"ok"}
    assert fits(tmp_path) == ["b"]
    assert made(tmp_path, "builder") == made(tmp_path, "slow")
    (note,) = records["builder"].fit.notes
    assert note.text.startswith("taken from the arm 'slow'")
    assert fit_s(records["builder"]) > fit_s(records["slow"]) >= 0.3  # its time counts for both
    named = [arm if isinstance(arm, str) else arm["use"] for arm in arms]
    assert [trial.strategy for trial in folder.last_header().trials] == named
    assert [f"own.py:{row.strategy.title()}" for row in analyse(folder).arms] == named


def test_parts_of_parts_are_shared_too(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, SOURCE, ["own.py:Whole", "own.py:Builder", SLOW])
    _, records = run_tiny(path, tmp_path / "run")
    assert fits(tmp_path) == ["b"]
    assert len({made(tmp_path, arm) for arm in records}) == 1


def test_a_fit_that_learnt_from_validation_rows_is_not_shared_with_a_part(tiny, run_tiny, tmp_path):
    """The part's answers to those rows set a threshold: it must not know them."""
    path = tiny(tmp_path, SOURCE, ["tfidf", "own.py:Held"])
    _, records = run_tiny(path, tmp_path / "run")
    assert {record.status for record in records.values()} == {"ok"}
    said = {arm: [note.text for note in r.fit.notes] for arm, r in records.items()}
    assert any("validation rows included" in text for text in said["tfidf"])
    assert any("it learns nothing from the" in text for text in said["held"])
    assert not any(text.startswith("taken from") for text in said["held"])


LOGGING = """
from harness import Prediction, Strategy

class Own(Strategy):
    def fit(self, train, validation, artifact):
        self.context.log(step=1, train_loss=0.5)

    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Outer(Own):
    part = "own.py:Own", {}

    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        self.context.build(*self.part, "inner").fit(train, validation, artifact / "inner")

class Outmost(Outer):
    part = "own.py:Outer", {}
"""


def test_what_a_part_logs_is_marked_as_its_own(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, LOGGING, ["own.py:Outmost"])
    folder, _ = run_tiny(path, tmp_path / "run")
    (log,) = folder.path.rglob("train_log.jsonl")
    row = {"step": 1, "train_loss": 0.5}
    assert read_jsonl(log) == [row, {**row, "part": "inner"}, {**row, "part": "inner/inner"}]


def planned(tiny, folder, arms, **changes):
    task = load_task(tiny(folder, SOURCE, arms, **changes))
    return task, header(task, Setting(), frozenset(), "now").trials


@pytest.mark.parametrize("order", list(permutations(["own.py:Whole", "own.py:Builder", SLOW])))
def test_whatever_builds_comes_after_what_it_builds(tiny, tmp_path, order):
    task, plan = planned(tiny, tmp_path, list(order), seeds=[0, 1])
    ran = [(trial.arm, trial.seed) for trial in parts_first(task, plan)]
    assert ran == [(arm, seed) for seed in (0, 1) for arm in ("slow", "builder", "whole")]


def test_what_is_built_by_none_keeps_its_place(tiny, tmp_path):
    other = {**SLOW, "answer": "a"}
    arms = [{**other, "name": "first"}, "own.py:Builder", {**other, "name": "second"}, SLOW]
    task, plan = planned(tiny, tmp_path, arms)
    ran = parts_first(task, plan)
    assert [trial.arm for trial in ran] == ["first", "slow", "builder", "second"]
    assert [built_by(task, trial, plan) for trial in ran] == [[], [], [plan[3]], []]


def test_what_a_part_was_charged_and_what_it_was_not_told_go_with_its_fit(
    tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    few = {"use": "few_shot", "shots": [1, 2], "select": "random"}
    with serving(Script(fails(503), default=reply("a"))) as script:
        hosted = {"provider": "openai", "base_url": script.url, "model": "far", "key_env": None}
        hosted |= {"max_retries": 0, "concurrency": 1}
        path = tiny(tmp_path, SOURCE, ["own.py:Chosen", few], model=hosted)
        _, records = run_tiny(path, tmp_path / "run")
        few_shot, chosen = (records[arm].fit for arm in ("few_shot", "chosen"))
        (asked,) = few_shot.loaded_models
        assert (asked.requests, asked.unanswered) == (7, 1)  # of 4 rows with each of 2 numbers
        assert chosen.loaded_models == (asked,)
        _, again = run_tiny(path, tmp_path / "run")
    assert {again[arm].fit.loaded_models[0].requests for arm in again} == {8}
    assert {again[arm].fit.unanswered for arm in again} == {0}
