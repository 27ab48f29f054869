"""A method's spec says what PEFT does: how much is trained, what is kept, what comes back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import rotations
from adapters import spec
from small_world import context, rows
from tiny_configs import CONFIGS
from tiny_models import build, write_model

from harness import lm, registry
from harness.errors import ModelError
from harness.lm import AdapterSpec, add_adapter, count_trained, open_trainable, open_trained
from harness.plan.unloaded_model import count, study, weightless
from harness.toolkit import TunedStrategy

SPECS = {
    name: spec(name)
    for name in registry.names()
    if issubclass(registry.find(name), TunedStrategy)
    and registry.find(name).__module__.startswith("strategies.")
} | {"rotations": rotations.Rotations.adapter(rotations.Rotations.Params())}
SOFT = {"prompt_tuning", "prefix_tuning"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model whose attention has fewer keys than queries, without its weights."""
    place = tmp_path_factory.mktemp("skeleton")
    build("llama").model.config.save_pretrained(place)
    return place


def test_there_are_some():
    assert {"lora", "dora", "rslora", "vera", "ia3", "full_finetune"} < set(SPECS)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_what_is_trained_is_counted_before_there_are_weights(name, folder):
    model = build("llama")
    counted = count_trained(SPECS[name], weightless(str(folder)), "llama")
    assert add_adapter(model, SPECS[name]) == counted
    frozen = [weight for weight in model.model.parameters() if not weight.requires_grad]
    assert bool(frozen) is not SPECS[name].trains_all


@pytest.mark.parametrize("name", sorted(set(CONFIGS) - {"mixtral"}))
def test_it_is_counted_on_any_architecture(name, tmp_path):
    model = build(name)
    model.model.config.save_pretrained(tmp_path)
    small = spec("lora", rank=4)
    counted = count_trained(small, weightless(str(tmp_path)), name)
    assert counted == sum(4 * (i + o) for i, o in count(model.model).adapted)
    assert add_adapter(model, small) == counted


@pytest.mark.parametrize("name", sorted(SPECS))
def test_the_forecast_counts_so(name, tmp_path):
    ref = write_model(tmp_path, "llama")
    planned = study(ref)
    expected = add_adapter(lm.load(ref, "cpu", "float32"), SPECS[name])
    assert planned.trained_weights(SPECS[name]) == expected


@pytest.mark.parametrize("name", sorted(SPECS))
def test_what_is_learnt_comes_back_from_disk(name, tmp_path):
    import torch

    world = context(write_model(tmp_path / "model", "llama-tied"))
    learnt = open_trainable(world, SPECS[name], "three words of it")
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in learnt.model.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight), alpha=0.05)
    learnt.model.eval()
    prompts, options = [[9] * 20 + [n] for n in range(4)], [[[1, 2], [3]]] * 4
    expected, _ = lm.score_options(learnt, prompts, options)
    lm.save_trained(learnt, tmp_path / "artifact", "float32")
    served = open_trained(world, SPECS[name], tmp_path / "artifact")
    found, _ = lm.score_options(served, prompts, options)
    assert found == [pytest.approx(row, abs=2e-3) for row in expected]
    assert hasattr(served.model, "peft_config") is not SPECS[name].merges
    untouched, _ = lm.score_options(lm.open_weights(world), prompts, options)
    assert found != [pytest.approx(row, abs=2e-3) for row in untouched]


@pytest.mark.parametrize("name", sorted(SPECS))
def test_what_is_added_is_not_the_models(name):
    model = build("llama")
    parameters = model.loaded().parameters
    add_adapter(model, SPECS[name])
    assert model.loaded().parameters == parameters


def test_vera_keeps_what_its_spec_says_of_a_token():
    """The tensors that autograd saves beside the untuned model's, over all linear layers."""
    small, tokens = spec("vera", rank=8), 7
    with_adapter, linear = build("llama"), count(build("llama").model).linear
    add_adapter(with_adapter, small)
    kept = saved_bytes(with_adapter.model, tokens) - saved_bytes(frozen("llama"), tokens)
    per_token = small.activation_bytes_per_token(linear, 4, False)
    assert kept == pytest.approx(tokens * per_token, rel=0.1)


def frozen(name):
    """A model whose activations have gradients and whose weights have none but the embedding."""
    model = build(name).model
    model.requires_grad_(False)
    model.get_input_embeddings().weight.requires_grad_(True)
    return model


def saved_bytes(model, tokens):
    """What autograd keeps of one pass, each storage once, parameters and buffers not counted."""
    import torch

    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    own |= {weight.untyped_storage().data_ptr() for weight in model.buffers()}
    seen = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = model(torch.arange(tokens)[None], use_cache=False).logits
    del logits
    return sum(seen.values())


def test_a_strangers_method_is_one_file_that_imports_what_all_may():
    source = Path(rotations.__file__).read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported == {"harness", "pydantic"}
    assert "harness." not in source
    assert len(source.splitlines()) <= 30


def test_a_strangers_method_learns_and_answers_from_its_artifact(tmp_path):
    world = context(write_model(tmp_path / "model", "llama-tied", chat=True), logged=(logged := []))
    strategy = registry.find(f"{rotations.__file__}:Rotations")
    params = registry.resolved_params(strategy, {"epochs": 12, "patience": 99}, tmp_path)
    (tmp_path / "artifact").mkdir()
    strategy(params, world).fit(rows("train"), rows("validation"), tmp_path / "artifact")
    losses = [row["validation_loss"] for row in logged if "validation_loss" in row]
    assert min(losses) < losses[0]
    served = strategy(params, world)
    served.load(tmp_path / "artifact")
    assert all(prediction.error is None for prediction in served.predict(rows("test").queries))


def test_a_method_that_peft_lacks_is_named():
    with pytest.raises(ModelError, match=r"Lo: peft [\d.]+ has no 'LoConfig'"):
        add_adapter(build("llama"), AdapterSpec("Lo", "LoConfig"))


@pytest.mark.parametrize("name", sorted(SOFT))
def test_a_soft_prompt_before_an_encoder_is_refused_by_forecasts_too(name, tmp_path):
    build("t5").model.config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="needs a decoder-only model"):
        count_trained(SPECS[name], weightless(str(tmp_path)), "t5")


def test_an_architecture_without_known_layers_is_named(tmp_path):
    build("mamba").model.config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="IA³ knows no layers for a model of type 'mamba'"):
        count_trained(SPECS["ia3"], weightless(str(tmp_path)), "mamba")
