"""Several models in one run: each arm enters with each, or with its own."""

from __future__ import annotations

import json
import re
import sys

import pytest
from tiny_models import write_model

from harness.analysis import analyse
from harness.errors import TaskError
from harness.plan import foresee
from harness.task import load_task

SMOLLM2 = "smollm2-135m-instruct-q4"


@pytest.fixture(scope="module")
def ran(tiny, run_tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "Tiny One", "llama-tied", chat=True)
    arms = ["majority", "zero_shot", {"use": "zero_shot", "name": "own", "model": "./Tiny One"}]
    path = tiny(folder, "", arms, model=[SMOLLM2, "./Tiny One"])
    return run_tiny(path, folder / "run")


@pytest.mark.model
def test_an_arm_that_needs_a_model_enters_with_each(ran):
    folder, records = ran
    names = ["majority", f"zero_shot@{SMOLLM2}", "zero_shot@tiny-one", "own"]
    header = folder.last_header()
    assert [plan.arm for plan in header.trials] == names
    assert [plan.model for plan in header.trials] == [None, SMOLLM2, "./Tiny One", "./Tiny One"]
    assert {name: record.status for name, record in records.items()} == dict.fromkeys(names, "ok")
    served = {n: [m.name for m in r.serve.loaded_models] for n, r in records.items()}
    assert list(served.values()) == [[], [SMOLLM2], ["./Tiny One"], ["./Tiny One"]]


@pytest.mark.model
def test_the_same_model_gives_the_same_answers_under_either_name(ran):
    folder, records = ran
    texts = {
        name: [
            json.loads(line)["text"]
            for line in (
                folder.trial_folder(name, records[name].fit_id, records[name].trial_id)
                / "predictions.jsonl"
            )
            .read_text()
            .splitlines()
        ]
        for name in ("zero_shot@tiny-one", "own")
    }
    assert texts["own"] == texts["zero_shot@tiny-one"]


@pytest.mark.model
def test_the_verdict_speaks_of_the_smallest_model(ran):
    folder, _ = ran
    comparison = analyse(folder)
    said = [reason for reason in comparison.recommendation.reasons if "smallest" in reason]
    assert len(said) == 1
    assert set(comparison.run["models"]) == {SMOLLM2, "./Tiny One"}


def test_models_of_one_name_need_arms_with_names(tiny, tmp_path):
    path = tiny(tmp_path, "", ["zero_shot"], model=["a/one", "b/one"])
    with pytest.raises(TaskError, match=r"two arms are called 'zero_shot@one' → .* model: …}"):
        load_task(path)


def test_an_empty_list_and_a_number_are_no_models(tiny, tmp_path):
    for model in ([], 7, [7]):
        with pytest.raises(TaskError, match="model"):
            load_task(tiny(tmp_path, "", ["zero_shot"], model=model))


def test_a_model_for_an_arm_that_uses_none_is_refused(tiny, tmp_path):
    arms = ["zero_shot", {"use": "tfidf", "model": "a/one"}]
    with pytest.raises(TaskError, match="tfidf uses no model → remove `model`"):
        load_task(tiny(tmp_path, "", arms, model="b/one"))


def test_one_hosted_model_is_asked_in_one_way(tiny, tmp_path):
    far = {"provider": "openai", "base_url": "http://far/v1", "model": "m"}
    other = {**far, "extra": {"reasoning_effort": "high"}}
    arms = [{"use": "zero_shot", "model": far}, {"use": "few_shot", "model": other}]
    with pytest.raises(TaskError, match="'few_shot' asks 'm at http://far/v1' in another way"):
        load_task(tiny(tmp_path, "", arms))


def test_answers_of_elsewhere_have_no_times_of_ours(tiny, run_tiny, tmp_path):
    lines = [{"id": f"test{n}", "text": "a"} for n in range(8)]
    (tmp_path / "made.jsonl").write_text("\n".join(map(json.dumps, lines)))
    arms = ["majority", {"use": "predictions", "file": "made.jsonl"}]
    limits = {"max_p95_ms": 1000}
    folder, _ = run_tiny(tiny(tmp_path, "", arms, limits=limits), tmp_path / "run")
    row = {row.strategy: row for row in analyse(folder).arms}["predictions"]
    assert (row.status, row.score.value) == ("ok", 0.5)
    assert (row.p50_s, row.p95_s, row.throughput_per_s, row.usd_per_1k_busy) == (None,) * 4
    assert row.misses == ("limits.max_p95_ms",)


def test_a_model_file_that_cannot_be_read_fails_its_own_arms_alone(tiny, run_tiny, tmp_path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(20))
    path = tiny(tmp_path, "", ["majority", "lora"], model="./m.gguf")
    forecasts = foresee(load_task(path)).here
    assert "cannot be read as a GGUF file" in forecasts["lora"].why
    _, records = run_tiny(path, tmp_path / "run", foresee=lambda arms: forecasts)
    assert records["majority"].status == "ok"
    assert records["lora"].status == "failed"
    assert re.search(r"m\.gguf cannot be read .* → fetch the file again", records["lora"].error)


def test_weights_of_4_bits_are_made_before_anything_is_measured(
    tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    write_model(tmp_path / "model", "llama-tied", chat=True)
    qlora = {"use": "qlora", "rank": 2, "epochs": 1}
    off = {"forgetting": False, "robustness": False}
    path = tiny(tmp_path, "", [qlora], model="./model", facts=off)
    _, records = run_tiny(path, tmp_path / "run")
    assert records["qlora"].status == "ok", records["qlora"].error
    assert [folder.is_dir() for folder in (tmp_path / "cache" / "four_bits").glob("*[!k]")] == [
        True
    ]
    assert not any("quantised" in note.text for note in records["qlora"].fit.notes)


def test_of_one_model_none_is_the_smallest(tiny, run_tiny, tmp_path, monkeypatch):
    """Whatever an arm adds to its weights."""
    sizes = {"one": 100, "two": 101}
    module = sys.modules["harness.analysis.analysis"]
    monkeypatch.setattr(module, "_weights", lambda arm: sizes[arm.name])
    arms = [{"use": "majority", "name": name} for name in sizes]
    folder, _ = run_tiny(tiny(tmp_path, "", arms), tmp_path / "run")
    assert not [s for s in analyse(folder).recommendation.reasons if "smallest model" in s]
