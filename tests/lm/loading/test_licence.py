"""What a model's own metadata says of its licence."""

from __future__ import annotations

import json

import pytest
from gguf import GGUFWriter

from harness.lm.loading.builtin_model import BUILT_IN
from harness.lm.loading.licence import licence_of, licence_of_gguf, licence_on_hub
from harness.lm.loading.resolve import MODEL_FILES, resolve


def card(front_matter):
    return f"---\n{front_matter}\n---\n# A model\nlicense: gpl\n"


@pytest.mark.parametrize(
    ("readme", "config", "licence"),
    [
        (card("license: apache-2.0\ntags: [x]"), {}, "apache-2.0"),
        (card("license: [mit]"), {}, "mit"),
        (card("license: [mit, gpl]"), {}, None),
        (card("license: other\nlicense_name: llama3"), {}, "llama3"),
        (card("license: other"), {}, None),
        (card("tags: [x]"), {"license": "mit"}, "mit"),
        (card("license: mit"), {"license": "gpl"}, "mit"),
        (card("a: [b"), {"license": "mit"}, "mit"),
        (card("license: ''"), {}, None),
        ("license: mit\n", {}, None),
        (None, {"license": "mit"}, "mit"),
        (None, {"license": 7}, None),
        (None, None, None),
    ],
)
def test_a_folder_says_it_in_its_card_or_its_config(tmp_path, readme, config, licence):
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert licence_of(tmp_path) == licence


def test_a_model_of_the_hub_says_it_in_its_card_alone(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text(card("license: cc-by-nc-4.0"))
    asked = []

    def fetched(name, **options):
        asked.append((name, options))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    assert licence_on_hub("owner/embedder", fetch=False) == "cc-by-nc-4.0"
    patterns = ["README.md", "config.json"]
    assert asked == [("owner/embedder", {"allow_patterns": patterns, "local_files_only": True})]


def test_a_model_that_is_neither_on_the_hub_nor_here_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert licence_on_hub("owner/that-nobody-fetched", fetch=False) is None


@pytest.mark.parametrize("licence", ["apache-2.0", None])
def test_a_gguf_file_says_it_in_its_own_field(tmp_path, licence):
    writer = GGUFWriter(tmp_path / "m.gguf", "llama")
    if licence:
        writer.add_license(licence)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert licence_of_gguf(tmp_path / "m.gguf") == licence


def test_a_local_folder_is_resolved_with_its_licence_which_is_no_part_of_its_identity(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    bare = resolve("./model", tmp_path)
    (folder / "README.md").write_text(card("license: mit"))
    named = resolve("./model", tmp_path)
    assert (bare.licence, named.licence) == (None, "mit")
    assert bare.sha256 == named.sha256


def test_a_hub_snapshot_is_asked_for_with_its_card(tmp_path, monkeypatch):
    import huggingface_hub

    asked = {}

    def snapshot(name, revision, allow_patterns, ignore_patterns, local_files_only):
        asked[name] = revision, allow_patterns, ignore_patterns
        (tmp_path / "README.md").write_text(card("license: mit"))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert resolve("owner/name", tmp_path / "task").licence == "mit"
    kept_out = ["*/*", "consolidated*"]
    assert asked == {"owner/name": (None, [*MODEL_FILES, "README.md"], kept_out)}
    resolve("owner/name", tmp_path / "task", revision="abc")  # as a node of a cluster asks
    assert asked["owner/name"][0] == "abc"


def test_every_built_in_model_has_a_licence():
    assert all(model.licence for model in BUILT_IN.values())
