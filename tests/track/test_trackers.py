"""Trials as trackers are told them: by a tracker of our own, and by the real libraries.

The libraries are extras: where they are not installed, what needs them is skipped.
"""

from __future__ import annotations

import json
import os
import typing

import pytest
from command_line import harness, rows_of, write_task
from hand_made import TARGETS, Arm, right, write_run
from progress import Silent

from harness.analysis import analyse
from harness.store.fit_account import TRAIN_LOG
from harness.store.rows_variant import RowsVariant
from harness.task.schema import TaskFile
from harness.track import TrackedRun, tracked_run
from harness.track.tracked_trial import arm_figures, tracked_trial
from harness.track.tracker import TRACKERS, new_tracker

LOG = [
    {"step": 1, "train_loss": 3.0, "learning_rate": 1e-3},
    {"step": 2, "train_loss": float("nan"), "validation_loss": 2.5},
    {"epoch": 1},
]


class Screen(Silent):
    def __init__(self):
        self.lines, self.ended = [], []

    def say(self, text):
        self.lines.append(text)

    def end(self, record, reused):
        self.ended.append(record.trial_id)


class Remembering:
    """A tracker that keeps what it is told."""

    def __init__(self, fails_at=None):
        self.told, self.fails_at = [], fails_at

    def trial(self, trial):
        self._tell("trial", trial.name)

    def found(self, trial, figures):
        self._tell("found", trial.name, dict(figures))

    def close(self):
        self._tell("close")

    def _tell(self, *words):
        if words[0] == self.fails_at:
            raise OSError("the server is gone")
        self.told.append(words)


@pytest.fixture
def folder(tmp_path):
    arms = [
        Arm("lora", [right(TARGETS, [0, 1]), right(TARGETS, [0])], validation=[0.8, 0.9]),
        Arm("tfidf", [right(TARGETS, [5])], seeds=[0]),
    ]
    found = write_run(tmp_path / "run", TARGETS, arms, seeds=(0, 1))
    for record in found.trials().values():
        if record.arm == "lora":
            log = found.fit_folder("lora", record.fit_id) / TRAIN_LOG
            log.write_text("".join(json.dumps(row) + "\n" for row in LOG))
    return found


def run_through(folder, names, monkeypatch=None, made=None):
    """Tell a run of what stands in a folder, as `run` does."""
    screen = Screen()
    if made is not None:
        monkeypatch.setattr(tracked_run, "new_tracker", lambda name, *_: made[name])
    run = TrackedRun(names, folder, "by-hand", screen)
    for record in folder.trials().values():
        run.end(record, reused=False)
    run.found(analyse(folder, None))
    return screen


def test_the_task_file_names_the_trackers_that_there_are():
    [kinds] = (typing.get_args(typing.get_args(TaskFile.model_fields["track"].annotation)[0]),)
    assert set(kinds) == set(TRACKERS)


def test_a_trial_is_told_with_what_is_known_of_it(folder):
    record = next(r for r in folder.trials().values() if r.arm == "lora" and r.seed == 1)
    told = tracked_trial(record.model_copy(update={"params": {"rank": 8, "to": ["q", "v"]}}), LOG)
    assert told.name == "lora-seed-1"
    assert told.params == {"rank": "8", "to": '["q", "v"]'}
    assert told.figures == {
        "fit_wall_s": 1.0, "fit_peak_ram_bytes": 200 * 2**20, "predict_wall_s": 1.0,
        "predict_peak_ram_bytes": 100 * 2**20, "p50_s": 0.1, "artifact_bytes": 1234.0,
        "validation_score": 0.9,
    }  # fmt: skip
    assert told.points == (
        ("train_loss", 1, 3.0), ("learning_rate", 1, 1e-3), ("validation_loss", 2, 2.5),
    )  # fmt: skip
    fewer = record.model_copy(update={"rows": RowsVariant(size=20)})
    assert tracked_trial(fewer, []).name == f"lora-seed-1-{record.trial_id[:8]}"


def test_a_failed_trial_has_no_figure_that_nobody_measured(folder):
    record = next(iter(folder.trials().values()))
    failed = record.model_copy(
        update={"status": "failed", "error": "no luck", "fit": None, "serve": None,
                "artifact_bytes": None}
    )  # fmt: skip
    told = tracked_trial(failed, [])
    assert (told.status, told.error, told.figures, told.points) == ("failed", "no luck", {}, ())


def test_what_was_found_is_told_of_each_training(folder):
    lora = next(arm for arm in analyse(folder, None).arms if arm.strategy == "lora")
    first, second = arm_figures(lora, 0), arm_figures(lora, 1)
    assert first["training_score"] == pytest.approx(118 / 120)
    assert second["training_score"] == pytest.approx(119 / 120)
    assert first["score"] == second["score"] == pytest.approx(118.5 / 120)
    assert first["score_ci_low"] < first["score"] < first["score_ci_high"]
    assert "total_usd" not in first  # unknown is left out, and is not 0


def test_each_tracker_is_told_of_each_trial_then_of_what_was_found(folder, monkeypatch):
    made = {"tensorboard": Remembering(), "mlflow": Remembering()}
    screen = run_through(folder, ["tensorboard", "mlflow"], monkeypatch, made)
    names = ["lora-seed-0", "tfidf-seed-0", "lora-seed-1"]
    for tracker in made.values():
        assert [words[:2] for words in tracker.told[:3]] == [("trial", name) for name in names]
        assert [words[:2] for words in tracker.told[3:-1]] == [("found", name) for name in names]
        assert tracker.told[-1] == ("close",)
    assert len(screen.ended) == 3
    assert screen.lines == []


@pytest.mark.parametrize("at", ["trial", "found", "close"])
def test_a_tracker_that_fails_ends_alone_and_says_so_once(folder, monkeypatch, at):
    made = {"tensorboard": Remembering(), "mlflow": Remembering(fails_at=at)}
    screen = run_through(folder, ["mlflow", "tensorboard"], monkeypatch, made)
    [line] = screen.lines
    assert line.startswith("track: mlflow failed (OSError: the server is gone)")
    assert len(made["tensorboard"].told) == 7
    assert len(screen.ended) == 3


def test_without_its_library_a_tracker_says_what_to_install(folder, monkeypatch):
    def absent(name, *_):
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr(tracked_run, "new_tracker", absent)
    [line] = run_through(folder, ["tensorboard"]).lines
    assert "pip install 'worth-tuning[tensorboard]'" in line


def test_without_the_key_nothing_is_made(folder):
    assert run_through(folder, []).lines == []
    assert not (folder.path / "track").exists()


def test_a_run_tells_the_trackers_of_its_task(tmp_path, monkeypatch):
    told = Remembering()
    monkeypatch.setattr(tracked_run, "new_tracker", lambda *_: told)
    task = write_task(tmp_path, ["majority", "own.py:Broken"], track="tensorboard")
    assert harness("run", task, "--out", tmp_path / "run").returncode == 0
    assert ("trial", "majority-seed-0") in told.told
    assert ("trial", "broken-seed-0") in told.told
    [(_, _, figures)] = [words for words in told.told if words[:2] == ("found", "majority-seed-0")]
    assert figures["score"] == rows_of(tmp_path / "run")["majority"]["score"]["value"]


def test_tensorboard_reads_what_was_written(folder):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # a second run writes anew, and nothing stands twice
        assert run_through(folder, ["tensorboard"]).lines == []
    read = EventAccumulator(str(folder.path / "track" / "tensorboard" / "lora-seed-0"))
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("training/train_loss")] == [(1, 3.0)]
    assert read.Scalars("measured/fit_wall_s")[0].value == 1.0
    assert read.Scalars("found/training_score")[0].value == pytest.approx(118 / 120)
    [text] = read.Tensors("parameters")
    assert b"| `strategy` | `majority` |" in text.tensor_proto.string_val[0]


def test_mlflow_reads_what_was_written(folder, monkeypatch):
    pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    from mlflow.tracking import MlflowClient

    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for _ in range(2):  # a second run finds what the first wrote
        assert run_through(folder, ["mlflow"]).lines == []
    client = MlflowClient(tracking_uri=(folder.path / "track" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("by-hand")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert sorted(runs) == ["lora-seed-0", "lora-seed-1", "tfidf-seed-0"]
    run = runs["lora-seed-1"]
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "1"
    assert run.data.tags["harness.arm"] == "lora"
    assert run.data.metrics["training_score"] == pytest.approx(119 / 120)
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert [(point.step, point.value) for point in history] == [(1, 3.0)]


def test_an_mlflow_server_that_is_not_there_ends_no_run(folder, monkeypatch):
    pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    screen = run_through(folder, ["mlflow"])
    [line] = screen.lines
    assert line.startswith("track: mlflow failed (")
    assert len(screen.ended) == 3


@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_of_that_name_can_be_made(name, tmp_path):
    pytest.importorskip(name, reason=f"the extra `{name}` is not installed")
    assert new_tracker(name, "task", tmp_path)
