"""What only loading can know of a model: weights that would be drawn, merges that go wrong."""

from __future__ import annotations

import json

import pytest
from adapters import add_lora
from model_folders import write_broken, write_whole
from tiny_configs import CONFIGS, SEES, config_of
from tiny_models import build, write_model

from harness.errors import ModelError
from harness.lm import load, save_trained
from harness.lm.inference.encoder_decoder import decoder_start
from harness.lm.loading import merging
from harness.lm.loading.whole_model import examine
from harness.lm.training.left_out import left_out
from harness.types import ModelRef

STATES = {"mamba", "falcon-h1", "nemotron-h"}
ROUTED = {"phimoe", "llama4", "switch"}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def test_a_model_written_by_hand_is_one(tmp_path):
    assert load(ModelRef("m", str(write_whole(tmp_path))), "cpu", "float32").packs


@pytest.mark.parametrize("kind", ["head left out", "layer left out", "bare base"])
def test_weights_that_would_be_newly_drawn_are_refused_when_loading_too(tmp_path, kind):
    words = r"model 'm': \d+ of its weights are not in its files and were newly drawn at random"
    with pytest.raises(ModelError, match=words):
        load(ModelRef("m", str(write_broken(tmp_path, kind))), "cpu", "float32")


def test_a_model_that_reads_both_ways_is_refused_when_loading_too(tmp_path):
    folder = write_broken(tmp_path, "both directions")
    with pytest.raises(ModelError, match="model 'm': a model of type 'bert' without"):
        load(ModelRef("m", str(folder)), "cpu", "float32")


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_every_family_is_whole_as_it_is_written(tmp_path, name):
    """What is saved of a whole model is found whole, before it is loaded and when it is."""
    ref = write_model(tmp_path / "model", name)
    assert list(examine(ref)) == []
    lm = load(ref, "cpu", "float32")
    assert lm.model.get_output_embeddings() is not None


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_adapters_leave_out_what_no_text_reaches_routers_and_state_spaces(name):
    model = build(name).model
    left = left_out(model)
    assert bool(left) == (name in SEES | STATES | ROUTED | {"gemma4-experts"})
    towers = [key for key in left if "vision" in key or "visual" in key]
    assert bool(towers) == (name in SEES)
    assert all("layers" not in key or key in towers for key in left if name in SEES)
    assert not any(key.endswith(("q_proj", "up_proj", "lm_head")) for key in set(left) - {*towers})


def test_a_decoder_begins_as_generation_does():
    lm = build("t5gemma")
    assert not hasattr(lm.model.config, "decoder_start_token_id")
    assert decoder_start(lm.model) == lm.model.generation_config.bos_token_id == 0
    lm.model.generation_config.decoder_start_token_id = [3]
    assert decoder_start(lm.model) == 3
    lm.model.generation_config = None
    with pytest.raises(ModelError, match="→ set `decoder_start_token_id`"):
        decoder_start(lm.model)


def with_adapter(tmp_path, name):
    """A model's folder, and that of an adapter which changes what it says."""
    import torch

    ref = write_model(tmp_path / "model", name)
    lm = load(ref, "cpu", "float32")
    add_lora(lm, 4, 8, 0.0)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in lm.model.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight), alpha=0.05)
    lm.model.eval()
    save_trained(lm, tmp_path / "adapter", "float32")
    return ref, tmp_path / "adapter"


@pytest.mark.parametrize("name", ["llama-tied", "t5", "gemma4-experts"])
def test_an_adapter_is_merged_where_the_model_says_the_same(tmp_path, name):
    from peft import PeftModel

    ref, adapter = with_adapter(tmp_path, name)
    assert not isinstance(load(ref, "cpu", "float32", adapter=adapter).model, PeftModel)


def test_blocks_that_share_weights_are_served_with_the_adapter_beside_them(tmp_path, monkeypatch):
    """As in Zamba 2, whose shared block is merged once for each place that it stands in."""
    from peft import LoraModel, PeftModel

    ref, adapter = with_adapter(tmp_path, "llama")
    merge = LoraModel.merge_and_unload

    def twice(self):
        import torch

        with torch.no_grad():
            for layer in self.modules():
                if hasattr(layer, "get_delta_weight"):
                    layer.get_base_layer().weight.add_(layer.get_delta_weight("default"))
        return merge(self)

    before = load(ref, "cpu", "float32", adapter=adapter, merge=False)
    monkeypatch.setattr(LoraModel, "merge_and_unload", twice)
    served = load(ref, "cpu", "float32", adapter=adapter)
    assert isinstance(served.model, PeftModel)
    assert merging._logits(served.model).equal(merging._logits(before.model))


def test_the_remedy_for_an_adapter_folder_makes_a_model(tmp_path, monkeypatch):
    """The command in the message is run as it stands: a process of its own is what it is for."""
    import shlex
    import subprocess
    import sys

    ref, adapter = with_adapter(tmp_path, "llama-tied")
    with pytest.raises(ModelError) as caught:
        list(examine(ModelRef("./adapter", str(adapter))))
    message = str(caught.value)
    assert f"it was trained on '{ref.location}'" in message
    command = shlex.split(message[message.index("(python -c ") + 1 : message.index(") and name")])
    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    merged = ModelRef("merged", message.rsplit("and name ", 1)[1])
    assert list(examine(merged)) == []
    assert load(merged, "cpu", "float32").packs


def test_the_configuration_of_a_family_is_read_layer_by_layer(tmp_path):
    from harness.lm.sizing.footprint import experts_of, of_layers, shape

    config = config_of("gemma4")
    assert of_layers(config, "head_dim") == [8, 16, 8, 16]
    assert shape(config).keys_values == 2 * 16 * 2
    assert experts_of(config_of("gemma4-experts")) == (2, 4)
    assert experts_of(config_of("llama")) == (1, 1)
    assert json.loads(json.dumps(of_layers(config, "no such thing"))) == [0]


def test_weights_of_8_bits_are_loaded_as_what_the_machine_can_compute(tmp_path):
    """FP8 as DeepSeek publishes it, with a scale for each block; a CPU gets plain numbers."""
    import torch
    from safetensors.torch import load_file, save_file

    ref = write_model(tmp_path / "model", "llama")
    plain = load(ref, "cpu", "float32")
    file = tmp_path / "model" / "model.safetensors"
    packed = {}
    for key, weight in load_file(file).items():
        if "_proj" not in key:
            packed[key] = weight
            continue
        scale = weight.abs().max() / torch.finfo(torch.float8_e4m3fn).max
        packed[key] = (weight / scale).to(torch.float8_e4m3fn)
        blocks = [-(-size // 16) for size in weight.shape]
        packed[f"{key}_scale_inv"] = torch.full(blocks, float(scale))
    save_file(packed, file, metadata={"format": "pt"})
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    how = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [16, 16]}
    (tmp_path / "model" / "config.json").write_text(
        json.dumps(config | {"quantization_config": how})
    )
    assert list(examine(ref)) == []
    lm = load(ref, "cpu", "float32")
    if not torch.cuda.is_available():
        assert lm.loaded().dtype == "float32"
    assert lm.loaded().parameters == plain.loaded().parameters
    expected = merging._logits(plain.model)
    distance = (merging._logits(lm.model) - expected).norm() / expected.norm()
    assert 0 < float(distance) < 0.2


def test_two_adapters_beside_one_weight_are_not_merged():
    """In Zamba 2 blocks are the same weights, each place with an adapter of its own."""
    lm = build("llama")
    first, second, *_ = lm.model.model.layers
    second.mlp.up_proj.weight = first.mlp.up_proj.weight
    add_lora(lm, 4, 8, 0.0)
    assert merging.merged(lm.model) is None
