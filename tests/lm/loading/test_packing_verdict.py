"""The verdict on packing is made once, in a process of its own, and read from then on."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
from tiny_models import write_model

from harness.lm import load
from harness.lm.inference import routes
from harness.lm.loading import packing_verdict
from harness.lm.loading.packing_verdict import ensure_verdict, verdict_on
from harness.types import ModelRef

pytestmark = pytest.mark.process


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty cache, and where verdicts are kept in it."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packing"


@pytest.fixture
def checks(monkeypatch):
    """The models that are checked in this process."""
    seen, real = [], packing_verdict.check_packing

    def counted(model):
        seen.append(model)
        return real(model)

    monkeypatch.setattr(packing_verdict, "check_packing", counted)
    return seen


def test_the_verdict_of_another_process_is_read_and_not_made_again(tmp_path, kept, checks):
    ref = write_model(tmp_path / "model", "llama")
    ensure_verdict(ref, "cpu", "float32")
    (file,) = kept.glob("*.json")
    assert json.loads(file.read_text())["checked"] == "the first 2 of 3 layers in float32"
    for dtype in ("float32", "bfloat16"):
        assert load(ref, "cpu", dtype).packs
    assert checks == []

    file.write_text(json.dumps({"packs": False, "checked": "what the test says"}))
    assert load(ref, "cpu", "float32").route is routes.PLAIN  # it is the kept one that counts


def test_a_process_is_started_once(tmp_path, kept, monkeypatch):
    started, real = [], subprocess.run

    def counted(command, **words):
        started.append(command)
        return real(command, **words)

    monkeypatch.setattr(packing_verdict.subprocess, "run", counted)
    ref = write_model(tmp_path / "model", "llama")
    for name in ("model", "the same by another name"):
        ensure_verdict(replace(ref, name=name), "cpu", "float32")
    assert len(started) == 1


@pytest.mark.parametrize("config", ["{}", "no json", '{"is_encoder_decoder": true}'])
def test_what_cannot_be_loaded_or_packed_leaves_no_verdict(tmp_path, kept, config):
    (tmp_path / "config.json").write_text(config)
    ensure_verdict(ModelRef("broken", str(tmp_path)), "cpu", "float32")
    assert not list(kept.glob("*.json"))
    assert not [mark for mark in kept.glob("made/*") if mark.suffix != ".lock"]


def test_a_verdict_that_is_missing_is_made_while_loading_and_kept(tmp_path, kept, checks):
    ref = write_model(tmp_path / "model", "bloom")
    for _ in range(2):
        assert load(ref, "cpu", "float32").route is routes.PLAIN
    assert len(checks) == 1


def test_weights_that_were_tuned_and_saved_share_the_verdict(tmp_path, kept, checks):
    lm = load(write_model(tmp_path / "model", "gemma3-window"), "cpu", "float32")
    lm.model.to("cpu").save_pretrained(tmp_path / "tuned")
    lm.tokenizer.save_pretrained(tmp_path / "tuned")
    assert load(ModelRef("tuned", str(tmp_path / "tuned")), "cpu", "bfloat16").packs
    assert len(checks) == 1


def test_another_configuration_or_source_has_a_verdict_of_its_own(
    tmp_path, kept, checks, monkeypatch
):
    lm = load(write_model(tmp_path / "model", "mistral-window"), "cpu", "float32")
    lm.model.config.sliding_window = 16
    assert verdict_on(lm.model).packs
    monkeypatch.setattr(packing_verdict, "_engine_sha256", lambda: "another")
    assert verdict_on(lm.model).packs
    assert len(checks) == 3


def test_a_verdict_for_want_of_memory_is_not_kept(tmp_path, kept, checks, monkeypatch):
    lm = load(write_model(tmp_path / "model", "llama"), "cpu", "float32")
    for file in kept.glob("*.json"):
        file.unlink()

    def full(**_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(lm.model.model, "forward", full)
        assert not verdict_on(lm.model).packs
    assert not list(kept.glob("*.json"))
    assert verdict_on(lm.model).packs
