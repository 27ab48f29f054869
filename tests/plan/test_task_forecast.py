"""`plan`, from a task file to what is printed; and what a run stores of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pytest
from planned_task import CARDS, write

from benchmarks.configs import write_config
from harness.cli.commands import run_command
from harness.plan import arm_forecast as forecast
from harness.plan import foresee, inference_passes, process_demand, task_forecast, training_pieces
from harness.plan.demand import LIBRARY_BYTES, PROCESS_BYTES
from harness.plan.target_machine import Place, measured_operations_per_s
from harness.run.environment import hardware
from harness.task import load_task
from harness.workload import Computing, Estimate

pytestmark = pytest.mark.torch

CONTRACT = {
    "strategy", "fit_peak_bytes", "predict_peak_bytes", "fit_wall_s", "fit_usd", "fits",
    "fit_wall_low_s", "fit_wall_high_s",
}  # fmt: skip


def test_a_config_alone_is_enough(planned):
    found = planned(["majority", "zero_shot", "lora", "qlora", "full_finetune"])
    for row in found.values():
        assert row.keys() >= CONTRACT
        assert row["predict_peak_bytes"] > 0
        assert row["fit_wall_low_s"] <= row["fit_wall_s"] == row["fit_wall_high_s"]
    assert [row["fits"] for row in found.values()] == [True, False, False, True, False]
    assert "4 characters counted as a token" in found["lora"]["notes"][0]


def test_arms_that_will_not_fit_are_named_with_what_would_make_them(planned):
    found = planned(["lora", "full_finetune"])
    assert "20.0 GiB are there" in found["lora"]["why"]
    assert found["lora"]["would_fit"] == [
        "`qlora` in its place",
        "on a card of 80",
        "on a card of 48",
    ]
    assert found["full_finetune"]["would_fit"] == ["`qlora` in its place"]


def test_seventy_billion_weights_fit_a_card_of_80_in_four_bits_alone(planned):
    found = planned(["zero_shot", "lora", "qlora"], name="llama-3-70b")
    on_80 = {arm: row["elsewhere"][0] for arm, row in found.items()}
    assert [on_80[arm]["fits"] for arm in found] == [False, False, True]
    assert 36.8 * 2**30 < on_80["qlora"]["predict_peak_bytes"] < 60 * 2**30
    assert found["lora"]["would_fit"][0] == "`qlora` in its place on a card of 80"
    assert found["zero_shot"]["would_fit"] == [
        "a smaller model, or a larger machine in the price file"
    ]


def test_strategies_of_strangers_say_what_they_know_and_harm_nothing(planned):
    found = planned(["own.py:Silent", "own.py:Certain", "own.py:Faulty"])
    silent, certain, faulty = found.values()
    assert silent["fit_peak_bytes"] is silent["fits"] is None
    assert "Strategy.estimate" in silent["why"]
    assert (certain["fit_peak_bytes"], certain["fit_wall_s"], certain["fits"]) == (10**8, 7.0, True)
    assert "no idea" in faulty["why"]


def test_an_arm_that_cannot_run_says_so(tmp_path):
    hosted = {"provider": "openai", "base_url": "http://localhost:1/v1", "model": "m"}
    found = foresee(load_task(write(tmp_path, ["lora"], model=hosted))).here["lora"]
    assert found.fits is found.fit_peak_bytes is None
    assert "needs a model's weights" in found.why


def test_a_model_that_is_out_of_reach_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    path = write(tmp_path, ["majority", "zero_shot"], model="owner/no-such-model")
    assert run_command(["plan", str(path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^majority .* yes$", printed, re.M)
    assert re.search(r"^zero_shot .* unknown$", printed, re.M)
    assert "'owner/no-such-model' cannot be fetched" in printed


def test_a_model_that_cannot_be_studied_harms_no_other_arm(planned, monkeypatch):
    def fault(_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("harness.plan.task_forecast.study", fault)
    found = planned(["majority", "lora"])
    assert found["majority"]["fits"]
    assert found["lora"]["why"] == "the model cannot be studied: RuntimeError: a bug"


def test_a_hosted_model_costs_by_the_token(tmp_path):
    hosted = {
        "provider": "openai", "base_url": "http://localhost:1/v1", "model": "m",
        "usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0,
    }  # fmt: skip
    path = write(tmp_path, ["zero_shot"], model=hosted, generation={"max_new_tokens": 10})
    found = foresee(load_task(path)).here["zero_shot"]
    assert found.fits
    assert found.serve_wall_s is None
    assert 8 * 10 * 2e-6 < found.serve_usd < 8 * (10 * 2e-6 + 100e-6)


def test_rows_are_cut_once_for_all_machines_that_cut_them_alike(tmp_path, monkeypatch):
    cut = {"passes": 0, "pieces": 0}
    passes, pieces = inference_passes.plan_rows, training_pieces.pieces

    def count(name, function):
        def counted(*words, **more):
            cut[name] += 1
            return function(*words, **more)

        return counted

    monkeypatch.setattr(inference_passes, "plan_rows", count("passes", passes))
    monkeypatch.setattr(training_pieces, "pieces", count("pieces", pieces))
    write_config(tmp_path / "model", "llama-3-8b")
    path = write(tmp_path, ["zero_shot", "lora"], model="./model", run={"memory_gib": 90})
    row = (
        "{{name: card {n}, usd_per_hour: {n}, source: s, read_on: 2026-11-20,"
        " gpu_memory_gib: 79, teraflops: {n}}}"
    )
    counts = []
    for machines_n in (1, 6):
        rows = "".join(f"  - {row.format(n=n + 1)}\n" for n in range(machines_n))
        (tmp_path / "prices.yaml").write_text("machines:\n" + rows)
        cut.update(passes=0, pieces=0)
        found = foresee(load_task(path))
        assert len({one.serve_wall_s for one in found.elsewhere["zero_shot"]}) == machines_n
        counts.append(dict(cut))
    assert counts[0] == counts[1]
    assert all(counts[0].values())


def test_the_text_names_machines_and_misfits(tmp_path, capsys):
    write_config(tmp_path / "model", "llama-3-8b")
    arms = ["majority", {"use": "lora", "checkpointing": False}]
    path = write(tmp_path, arms, model="./model", run={"memory_gib": 20})
    assert run_command(["plan", str(path), "--all"]) == 0
    printed = capsys.readouterr().out
    assert "- lora will not fit: preparation needs" in printed
    assert "would make it fit: `qlora` in its place; on a card of 80" in printed
    assert "all arms: the price file does not say how much memory 'a mystery' has" in printed
    *there, here = f"\n\n{printed}".split("\n\nOn ")[1:]
    assert here.startswith("this machine, where")
    assert [text.split(" (")[0] for text in there] == ["a card of 80", "a card of 48", "a mystery"]
    assert re.match(
        r"a card of 80 \(78.4 GiB GPU, \$3.00 an hour, preparing all with all seeds takes", there[0]
    )
    for text in (here, *there):
        for arm in ("majority", "lora"):
            assert re.search(rf"^{arm} +[\d.]+ G?M?i?B .*(yes|NO|unknown)$", text, re.M)
    assert re.search(r"^lora .* to .* \$[\d.]+ +yes$", there[0], re.M)
    assert max(map(len, printed.splitlines()[1:4])) <= 120


def test_fitting_all_is_counted_with_every_seed(tmp_path, capsys):
    """An arm's figures stay those of one seed, as a report's are."""
    for seeds in ([0], [0, 1, 2, 3, 4]):
        path = write(tmp_path, ["own.py:Certain"], seeds=seeds)
        assert run_command(["plan", str(path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["seeds_n"] == len(seeds)
        assert found["strategies"][0]["fit_wall_s"] == 7.0
        assert run_command(["plan", str(path), "--all"]) == 0
        printed = capsys.readouterr().out
        assert ("5 ×: the arm is prepared and answers 5 times" in printed) == (len(seeds) > 1)
        assert ("5 × 7.00 s" in printed) == (len(seeds) > 1)
    assert "an hour, preparing all with all seeds takes 35.0 s at the most)" in printed


def test_three_trainings_of_an_arm_that_is_random_are_counted_beside_one_of_another(tmp_path):
    write_config(tmp_path / "model", "llama-3-8b")
    outlook = foresee(load_task(write(tmp_path, ["majority", "lora"], model="./model")))
    assert {arm: outlook.trainings(arm) for arm in outlook.here} == {"majority": 1, "lora": 3}
    found = outlook.as_json()
    assert found["seeds_n"] == 3
    assert [row["seeds"] for row in found["strategies"]] == [[0], [0, 1, 2]]


def test_an_arm_that_fits_narrowly_is_tight(tmp_path, capsys):
    path = write(tmp_path, ["own.py:Snug", "majority"], run={"memory_gib": 100})
    assert run_command(["plan", str(path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^snug .* tight: 93%$", printed, re.M)
    assert "- snug: tight, more than 85% of 100 GiB; a forecast of memory may be 20% off" in printed
    assert run_command(["plan", str(path), "--json"]) == 0
    snug, majority = json.loads(capsys.readouterr().out)["strategies"]
    assert (snug["fits"], snug["memory_share"]) == (True, 0.93)
    assert majority["memory_share"] < 0.01


def test_prices_that_were_read_long_ago_are_named(tmp_path, capsys):
    path = write(tmp_path, ["majority"])
    prices = tmp_path / "prices.yaml"
    two, mystery = CARDS.rsplit("2026-11-20", 1)
    today = str(date.today())
    prices.write_text(two.replace("2026-11-20", today) + "2019-11-20" + mystery)
    assert run_command(["plan", str(path)]) == 0
    (line,) = [text for text in capsys.readouterr().out.splitlines() if "price of" in text]
    assert line == (
        "- the price of a mystery was read on 2019-11-20, more than a year ago: read an invoice"
        " again and write what it says into prices.yaml"
    )
    assert run_command(["plan", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stale_prices"] == [line.removeprefix("- ")]


@pytest.fixture
def card(monkeypatch):
    """Has this machine own a GPU of 24 GiB."""
    monkeypatch.setattr("harness.machine.device.device_and_dtype", lambda _: ("cuda", "bfloat16"))
    monkeypatch.setattr("harness.machine.describe._gpu", lambda: "A card")
    monkeypatch.setattr("harness.plan.target_machine._gpu_bytes", lambda: 24 * 2**30)
    monkeypatch.setattr("harness.plan.target_machine.measured_operations_per_s", lambda *_: 1e14)


@pytest.mark.parametrize("arms", [["majority", "tfidf"], ["tfidf", "encoder"]])
def test_arms_are_forecast_on_the_device_that_they_will_run_on(tmp_path, card, arms):
    task = load_task(write(tmp_path, arms))
    assert foresee(task).place.device == hardware(task)[0]
    assert foresee(task, frozenset({"tfidf"})).place.device == hardware(task)[0]


def test_arms_that_use_no_gpu_are_forecast_in_main_memory(tmp_path, capsys, card):
    write_config(tmp_path / "model", "llama-3-8b")
    arms = ["majority", "tfidf", "zero_shot"]
    path = write(tmp_path, arms, model="./model", run={"memory_gib": 3})
    found = foresee(load_task(path))
    here = found.here
    assert here["majority"].fit_peak_bytes == PROCESS_BYTES
    assert here["majority"].memory_share == pytest.approx(PROCESS_BYTES / (3 * 2**30))
    assert here["tfidf"].predict_peak_bytes > PROCESS_BYTES + LIBRARY_BYTES["sklearn"]
    assert [one.predict_on_gpu for one in here.values()] == [False, False, True]
    assert [one.fits for one in here.values()] == [True, True, True]
    on_80 = {arm: rows[0] for arm, rows in found.elsewhere.items()}
    assert [one.fits for one in on_80.values()] == [None, None, True]
    assert on_80["tfidf"].why == (
        "the price file does not say how much main memory 'a card of 80' has"
    )
    assert run_command(["plan", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("On this machine, where 23.4 GiB GPU, 3.00 GiB RAM are there:")
    assert re.search(r"^majority +49.0 MiB RAM +49.0 MiB RAM .* yes$", printed, re.M)
    assert re.search(r"^zero_shot .* GiB GPU .* yes$", printed, re.M)


def test_work_without_the_gpu_is_held_against_main_memory():
    card = Place("a card", "cuda", "bfloat16", 80 * 2**30, 3e14, main_bytes=2**30)
    work = Computing(peak_bytes=2**31, libraries=frozenset({"sklearn"}))
    found = forecast.forecast(forecast.Plan(Estimate(fit=(work,), serve=())), card)
    assert found.fits is False
    assert found.why == "preparation needs 2.19 GiB RAM; 79.4 GiB GPU, 1.00 GiB RAM are there"
    assert found.memory_share > 2
    larger = replace(card, main_bytes=2**32)
    assert forecast.forecast(forecast.Plan(Estimate(fit=(work,), serve=())), larger).fits


def test_a_rate_is_that_of_a_real_machine():
    assert 1e8 < measured_operations_per_s("cpu", "float32") < 1e15


def test_a_cascade_needs_what_its_parts_need(planned):
    found = planned(["tfidf", "qlora", {"use": "cascade", "cheap": "tfidf", "dear": "qlora"}])
    parts = [found[arm] for arm in ("tfidf", "qlora")]
    for key in ("fit_peak_bytes", "predict_peak_bytes", "fit_wall_s"):
        assert found["cascade"][key] >= max(part[key] for part in parts)


@pytest.mark.process
def test_a_run_stores_its_forecasts_before_anything_runs(tmp_path, capsys):
    path = write(tmp_path, ["own.py:Certain", "own.py:Silent", "own.py:Huge"])
    assert run_command(["run", str(path), "--out", str(tmp_path / "run")]) == 0
    assert "huge is not expected to fit: preparation needs" in capsys.readouterr().out
    header, *trials = map(json.loads, (tmp_path / "run/records.jsonl").read_text().splitlines())
    certain = header["trials"][0]["forecast"]
    assert (certain["fit_peak_bytes"], certain["fit_wall_s"]) == (10**8, 7.0)
    assert [trial["forecast"] for trial in trials] == [t["forecast"] for t in header["trials"]]
    row = json.loads((tmp_path / "run/comparison.json").read_text())["rows"][0]
    assert row["foresight"]["fit_peak_ratio"] == pytest.approx(10**8 / row["fit_peak_bytes"])
    assert row["foresight"]["within"] is False  # 7 s were foretold
    for page in ("report.md", "report.html"):
        assert "Forecasts beside what was measured" in (tmp_path / "run" / page).read_text()


def test_a_model_that_answers_several_times_is_held_once(planned, monkeypatch):
    held = []
    answering = process_demand.answering

    def spy(work, model, place, kept_bytes, serving):
        if place.device == "cuda" and not serving:
            held.append(kept_bytes)
        return answering(work, model, place, kept_bytes, serving)

    monkeypatch.setattr(process_demand, "answering", spy)
    planned([{"use": "instruction_search", "rephrased": 2}])
    assert len(held) > 2
    assert len(set(held)) == 1


def test_forecasts_are_of_the_place_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(task_forecast, "available_bytes", None)  # nothing asks this machine
    place = Place("the node card", "cpu", "float32", 2**30, 1e12, 3.6, 2**30)
    outlook = foresee(load_task(write(tmp_path, ["majority", "tfidf"])), place=place)
    assert outlook.place == place
    assert {found.machine for found in outlook.here.values()} == {"the node card"}
