"""An adapter's folder is data: what would import, unpickle or fetch is refused before PEFT."""

from __future__ import annotations

import json

import pytest

from harness.errors import ModelError
from harness.lm.loading.adapter_files import refuse_unsafe


def adapter(folder, weights="adapter_model.safetensors", **config):
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **config}))
    (folder / weights).write_bytes(b"")
    return folder


@pytest.mark.parametrize("mapping", [None, {"parent_library": "transformers.models.gpt2"}])
def test_an_adapter_as_it_is_saved_passes(tmp_path, mapping):
    refuse_unsafe(adapter(tmp_path, auto_mapping=mapping, megatron_core="megatron.core"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"auto_mapping": {"parent_library": "evil"}}, "auto_mapping names the module 'evil'"),
        ({"auto_mapping": {"parent_library": "transformers_evil"}}, "'transformers_evil'"),
        ({"megatron_config": {}, "megatron_core": "evil"}, "megatron_core names the module 'evil'"),
        ({"peft_type": "XLORA"}, "fetches other adapters"),
    ],
)
def test_a_configuration_that_would_import_or_fetch_is_refused(tmp_path, config, said):
    with pytest.raises(ModelError, match=f"{said}.* → train the arm again"):
        refuse_unsafe(adapter(tmp_path, **config))


@pytest.mark.parametrize("weights", ["adapter_model.bin", "other.safetensors"])
def test_pickled_or_missing_weights_are_refused(tmp_path, weights):
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors belong there → train"):
        refuse_unsafe(adapter(tmp_path, weights))
