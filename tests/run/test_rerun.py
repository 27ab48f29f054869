"""A run over finished trials answers from the records: nothing is forecast, loaded or measured."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from tiny_models import write_model

from harness.run import environment
from harness.run.environment import hardware
from harness.store.records import Forecast
from harness.task import load_task

OWN = """
from harness import Prediction, Strategy

class Known(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Late(Known):
    pass

class Unable(Known):
    answers = frozenset({"text"})
"""
SHOW_MODULES = """
import sys
from harness.__main__ import main
try:
    main()
finally:
    print("LOADED", *sorted(name for name in sys.modules if "." not in name))
"""


def foresight(asked):
    def foresee(arms):
        asked.append(arms)
        return {arm: Forecast(machine="this machine", fit_wall_s=len(asked)) for arm in arms}

    return foresee


def test_only_what_will_run_is_forecast_and_the_rest_keeps_the_forecast_on_record(
    tiny, run_tiny, tmp_path
):
    asked = []
    path, out = tiny(tmp_path, OWN, ["own.py:Known", "own.py:Unable"]), tmp_path / "run"
    run_tiny(path, out, foresee=foresight(asked))
    run_tiny(path, out, foresee=foresight(asked))
    assert asked == [{"known", "unable"}]
    tiny(tmp_path, OWN, ["own.py:Known", "own.py:Late", "own.py:Unable"])
    folder, records = run_tiny(path, out, foresee=foresight(asked))
    assert asked[1:] == [{"late"}]
    planned = {trial.arm: trial.forecast.fit_wall_s for trial in folder.last_header().trials}
    assert planned == {"known": 1, "late": 2, "unable": 1}
    assert records["known"].forecast.fit_wall_s == 1
    # Answers that are not what was recorded are given again, and forecast again.
    (answers,) = out.glob("trials/late/*/*/predictions.jsonl")
    answers.write_text(answers.read_text().replace('"a"', '"b"'))
    run_tiny(path, out, foresee=foresight(asked))
    assert asked[2:] == [{"late"}]


def test_arms_left_out_have_no_forecast(tiny, run_tiny, tmp_path):
    asked = []
    path = tiny(tmp_path, OWN, ["own.py:Known", "own.py:Late"])
    folder, _ = run_tiny(path, tmp_path / "run", only=["late"], foresee=foresight(asked))
    assert asked == [{"late"}]
    assert [trial.forecast is None for trial in folder.last_header().trials] == [True, False]


def test_a_rerun_of_finished_trials_imports_neither_torch_nor_transformers(tiny, tmp_path):
    write_model(tmp_path / "model", "llama")
    path = tiny(tmp_path / "task", OWN, ["majority", "zero_shot"], model="../model")
    command = [sys.executable, "-c", SHOW_MODULES, "run", str(path), "--out", str(tmp_path / "run")]
    loaded = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        loaded.append(set(done.stdout.splitlines()[-1].split()[1:]))
    heavy = {"torch", "transformers", "peft", "faiss", "sentence_transformers", "sklearn"}
    assert "torch" in loaded[0]  # it was needed to forecast
    assert loaded[1] & heavy == set()
    assert done.stdout.count("done before") == 2
    rows = json.loads((tmp_path / "run/comparison.json").read_text())["rows"]
    assert [row["status"] for row in rows] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, False),
        ({"device": "cpu"}, True),  # a card may be new
        ({"packages": {"torch": "0.1"}}, True),
        ({"gpu": "another card"}, True),
        ({"gpu": None}, True),
        ({"dtype": "float16"}, True),  # what the task asked for then
    ],
    ids=str,
)
def test_a_gpu_that_was_found_before_holds_while_nothing_that_decides_it_changed(
    tiny, tmp_path, monkeypatch, changes, asked
):
    task = load_task(tiny(tmp_path, OWN, ["encoder"]))
    earlier = SimpleNamespace(
        device=changes.get("device", "cuda"),
        dtype="bfloat16",
        task={"dtype": changes.get("dtype", "auto")},
        packages=changes.get("packages", {"torch": "2.0"}),
        machine=SimpleNamespace(gpu=changes.get("gpu", "a card")),
    )
    monkeypatch.setattr(environment, "gpu_name", lambda: "a card")
    monkeypatch.setattr(environment.metadata, "version", lambda _: "2.0")
    monkeypatch.setattr("harness.machine.device.device_and_dtype", lambda _: ("asked", "torch"))
    assert (hardware(task, earlier) == ("asked", "torch")) == asked
