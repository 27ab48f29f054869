"""What is no whole model that writes is refused before anything is loaded; what is one passes."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from model_folders import (
    BROKEN,
    CONFIG,
    ROWS,
    SHARDS,
    WHOLE,
    safetensors,
    tensors,
    tokenizer,
    write_broken,
    write_whole,
)

from harness.errors import ModelError
from harness.lm.loading import finite_weights
from harness.lm.loading.resolve import resolve
from harness.lm.loading.weight_files import PICKLED
from harness.lm.loading.whole_model import examine
from harness.types import Endpoint, ModelRef


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def told(folder, **how):
    """The remarks on a folder; refusals pass."""
    return list(examine(ModelRef("./model", str(folder)), **how))


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        told(folder)
    return str(caught.value)


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_is_refused_with_its_reason_and_remedy(tmp_path, kind):
    folder = write_broken(tmp_path / "model", kind)
    message = refusal(folder)
    reason, _, remedy = message.partition(" → ")
    assert reason.startswith("model './model': ")
    assert BROKEN[kind][1] in reason
    assert BROKEN[kind][2] in remedy
    assert len(message) < 800
    assert "\n" not in message


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"config.json": {key: value for key, value in CONFIG.items() if key != "architectures"}},
        {"config.json": CONFIG | {"auto_map": {"AutoModelForCausalLM": "modeling_llama.Other"}}},
        {"model.safetensors": None, PICKLED: b"\x80\x02a pickle of the old kind"},
        {"tokenizer.json": None, "tokenizer.model": b"\x0a\x0b"},
        {"tokenizer.json": None, "tokenizer_config.json": {"tokenizer_class": "ByT5Tokenizer"}},
        # An embedding may have more rows than there are tokens.
        {"tokenizer.json": tokenizer(ROWS - 3)},
    ],
)
def test_a_whole_model_passes_without_a_word(tmp_path, changed):
    assert told(write_whole(tmp_path / "model", **changed)) == []


def test_a_hosted_model_has_no_files_to_examine():
    far = ModelRef("far", "http://far/v1", hosted=Endpoint("openai"))
    assert list(examine(far)) == []


def test_a_head_that_is_the_embedding_need_not_be_written(tmp_path):
    held = tensors()
    held.pop("lm_head.weight")
    tied = {"config.json": CONFIG | {"tie_word_embeddings": True}}
    assert (
        told(write_whole(tmp_path / "a", **tied, **{"model.safetensors": safetensors(held)})) == []
    )
    base = {"config.json": CONFIG | {"tie_word_embeddings": True, "architectures": ["LlamaModel"]}}
    [remark] = told(write_whole(tmp_path / "b", **base, **{"model.safetensors": safetensors(held)}))
    assert "names a bare base (LlamaModel)" in remark


def test_what_a_configuration_leaves_out_is_its_class_default(tmp_path):
    held = {
        "model.safetensors": safetensors({k: v for k, v in tensors().items() if "head" not in k})
    }
    silent = {key: value for key, value in CONFIG.items() if key != "tie_word_embeddings"}
    assert "its head is not in its weights" in refusal(
        write_whole(tmp_path / "llama", **held, **{"config.json": silent})
    )
    gemma = silent | {"model_type": "gemma", "architectures": ["GemmaForCausalLM"]}
    assert told(write_whole(tmp_path / "gemma", **held, **{"config.json": gemma})) == []


def test_a_special_token_that_no_prompt_holds_may_lie_beyond_the_embedding(tmp_path):
    """Gemma 3 of one billion weights has one: for images, which it cannot see."""
    image = {"tokenizer.json": tokenizer(image=(ROWS, True))}
    [remark] = told(write_whole(tmp_path / "model", **image))
    assert remark == (
        "model './model': the model has no row for 'image': it cannot read a text that holds such"
        " a word"
    )
    word = {"tokenizer.json": tokenizer(image=(ROWS, False))}
    assert "tokens beyond the embedding ('image' is 20" in refusal(
        write_whole(tmp_path / "word", **word)
    )


def test_links_are_followed_and_one_that_leads_nowhere_is_a_missing_file(tmp_path):
    """A hub's cache keeps contents apart and links them by name."""
    stored = write_whole(tmp_path / "stored")
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for number, file in enumerate(sorted(stored.iterdir())):
        content = file.rename(stored / f"blob{number}")
        (snapshot / file.name).symlink_to(os.path.relpath(content, snapshot))
    assert told(snapshot) == []
    (snapshot / "model.safetensors").resolve().unlink()
    assert "it has no weights" in refusal(snapshot)


def test_weights_of_the_hub_may_come_later(tmp_path):
    ref = ModelRef("owner/name", str(write_broken(tmp_path, "missing shards")), revision="0a1b")
    [remark] = examine(ref, fetched=False)
    assert "its weights are not on this machine yet" in remark
    with pytest.raises(ModelError, match="are not in its folder"):
        list(examine(ref))


def test_a_model_of_the_hub_is_examined_where_it_lies(tmp_path, monkeypatch):
    """Without a network: its files were fetched before, and the cache links them by name."""
    stored = tmp_path / "hub" / "models--owner--name"
    snapshot = write_broken(stored / "snapshots" / "0a1b", "not a number")
    (stored / "blobs").mkdir()
    weights = (snapshot / "model.safetensors").rename(stored / "blobs" / "f00d")
    (snapshot / "model.safetensors").symlink_to(os.path.relpath(weights, snapshot))
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("0a1b")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    ref = resolve("owner/name", tmp_path, fetch=False, weights=False)
    assert ref.revision == "0a1b"
    with pytest.raises(ModelError, match="model 'owner/name': its weights are damaged: NaN"):
        list(examine(ref, fetched=False))


def test_a_model_whose_terms_are_not_accepted_says_what_to_do(tmp_path, monkeypatch):
    from unittest.mock import Mock

    from huggingface_hub.errors import GatedRepoError

    def refused(*_, **__):
        raise GatedRepoError("403 Client Error", response=Mock(headers={}))

    monkeypatch.setattr("huggingface_hub.snapshot_download", refused)
    with pytest.raises(ModelError, match="accept them on the page of owner/name, and set HF_TOKEN"):
        resolve("owner/name", tmp_path)


def test_what_is_known_without_weights_is_told_before_they_are_fetched(tmp_path):
    folder = write_broken(tmp_path, "masked language model")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="masked language model"):
        list(examine(ModelRef("owner/name", str(folder), revision="0a1b"), fetched=False))


@pytest.mark.parametrize(
    ("dtype", "width", "bits", "word"),
    [
        ("BF16", np.uint16, 0x7FC0, "NaN"),
        ("BF16", np.uint16, 0xFF80, "infinity"),
        ("F16", np.uint16, 0xFE00, "NaN"),
        ("F16", np.uint16, 0x7C00, "infinity"),
        ("F8_E4M3", np.uint8, 0xFF, "NaN"),
        ("F8_E5M2", np.uint8, 0x7C, "infinity"),
        ("F64", np.uint64, 0x7FF8000000000000, "NaN"),
    ],
)
def test_every_format_is_judged_by_its_bits(tmp_path, dtype, width, bits, word):
    largest = {"BF16": 0x7F7F, "F16": 0x7BFF, "F8_E4M3": 0x7E, "F8_E5M2": 0x7B}
    for name, number in (("sound", largest.get(dtype, 0x7FEF000000000000)), ("damaged", bits)):
        held = {"a": np.zeros(3, width), "b": np.full((2, 5), number, width)}
        (tmp_path / name).write_bytes(safetensors(held, dtype))
    from harness.lm.loading.weight_files import _header

    finite_weights.refuse_not_finite("m", _header(tmp_path / "sound"))
    with pytest.raises(ModelError, match=f"{word} in 'b' in damaged"):
        finite_weights.refuse_not_finite("m", _header(tmp_path / "damaged"))


def test_a_limit_may_be_infinite(tmp_path):
    held = tensors() | {"model.limit": np.array(-np.inf, np.float32)}
    assert told(write_whole(tmp_path, **{"model.safetensors": safetensors(held)})) == []


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    folder = write_whole(tmp_path / "model")
    told(folder)
    monkeypatch.setattr(finite_weights, "_first_fault", lambda *_: pytest.fail("read again"))
    told(folder)
    monkeypatch.undo()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (folder / "model.safetensors").write_bytes(BROKEN["not a number"][0]["model.safetensors"])
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert "NaN" in refusal(folder)
    assert "NaN" in refusal(folder)  # what was found is kept as well


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file"))
    assert told(write_whole(tmp_path / "model")) == []


def test_a_large_file_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(finite_weights, "AT_ONCE", 16)
    assert "NaN" in refusal(write_broken(tmp_path, "not a number"))


def test_shards_are_read_as_one(tmp_path):
    held = tensors()
    parts = [dict(list(held.items())[n::2]) for n in range(2)]
    placed = {name: SHARDS[n] for n in range(2) for name in parts[n]}
    files = {SHARDS[n]: safetensors(parts[n]) for n in range(2)}
    index = {"model.safetensors": None, "model.safetensors.index.json": {"weight_map": placed}}
    assert told(write_whole(tmp_path / "model", **index, **files)) == []
    (tmp_path / "model" / SHARDS[1]).write_bytes(files[SHARDS[1]][:-9])
    assert f"{SHARDS[1]} is cut short" in refusal(tmp_path / "model")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    folder = write_whole(tmp_path)

    def closed(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", closed)
    assert "cannot be read: Permission denied → make it readable" in refusal(folder)


@pytest.mark.parametrize("kind", ["adapter", "pointer for the configuration"])
def test_a_name_that_leads_to_no_model_is_told_the_same(tmp_path, kind):
    folder = write_broken(tmp_path / "model", kind)
    with pytest.raises(ModelError) as caught:
        resolve("./model", tmp_path)
    assert BROKEN[kind][1] in str(caught.value)
    assert str(caught.value) == refusal(folder)


def test_the_whole_folder_is_what_it_says():
    assert json.loads(WHOLE[8 : 8 + int.from_bytes(WHOLE[:8], "little")])["lm_head.weight"]
