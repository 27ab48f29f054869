"""From a folder on disk to answers: any model and tokenizer that transformers can load."""

from __future__ import annotations

import math

import pytest
from adapters import add_lora
from tiny_models import write_model

from harness.errors import ModelError
from harness.lm import (
    TuneSettings,
    answer_tokens,
    forget_loaded_models,
    load,
    loaded_models,
    prompt_tokens,
    save_trained,
    tune,
)
from harness.lm.inference.encoder_decoder import decoder_start
from harness.toolkit import choose, generate
from harness.types import ModelRef

LABELS = ["billing", "billing query", "outage"]


def reference(lm, prompt, option):
    import torch

    given = {"input_ids": torch.tensor([prompt + option])}
    if lm.has_encoder:
        decoder = [decoder_start(lm.model), *option]
        given = {"input_ids": torch.tensor([prompt]), "decoder_input_ids": torch.tensor([decoder])}
    with torch.inference_mode():
        rows = lm.model(**given, use_cache=False).logits[0].double().log_softmax(-1)
    return float(rows[range(-len(option) - 1, -1), option].sum())


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("name", ["llama-tied", "mistral-window", "gpt2", "bloom", "t5", "mamba"])
def test_a_folder_on_disk_answers(tmp_path, name, begins, chat):
    forget_loaded_models()  # hosted ones of earlier tests would come last
    lm = load(write_model(tmp_path, name, begins, chat), "cpu", "float32")
    assert loaded_models()[-1].scoring == lm.route.name
    prompt = prompt_tokens(lm, "My light is out.")
    text = lm.tokenizer.decode(prompt)
    assert text.count("<s>") == (1 if begins and not chat else 0)
    assert text.count("<|user|>") == (1 if chat else 0)
    options = [answer_tokens(lm, label) for label in LABELS]
    ends = {"<|end|>"} if chat and name != "t5" else {"</s>", "<|end|>"}
    assert {lm.tokenizer.decode(option[-1:]) for option in options} <= ends

    [prediction] = choose(lm, ["My light is out."], LABELS)
    expected = [reference(lm, prompt, option) for option in options]
    assert prediction.text == LABELS[expected.index(max(expected))]
    shift = max(expected) + math.log(sum(math.exp(e - max(expected)) for e in expected))
    assert list(prediction.label_logprobs.values()) == pytest.approx(
        [value - shift for value in expected], abs=2e-3
    )
    [written] = generate(lm, ["My light is out."], 5)
    assert written.output_tokens <= 5


def test_demonstrations_are_turns_of_the_chat_or_running_text(tmp_path):
    shown = ("Where? Answer:", "here", "When? Answer:")
    chat = load(write_model(tmp_path / "chat", "llama", chat=True), "cpu", "float32")
    text = chat.tokenizer.decode(prompt_tokens(chat, shown))
    parts = ["<|user|>", "Where? Answer:", "<|assistant|>", "here", "<|user|>", "When? Answer:"]
    places = [text.index(parts[0])]
    for part in parts[1:]:
        places.append(text.index(part, places[-1] + 1))
    assert text.rstrip().endswith("<|assistant|>")
    bare = load(write_model(tmp_path / "bare", "llama", chat=False), "cpu", "float32")
    assert prompt_tokens(bare, shown) == prompt_tokens(bare, "Where? Answer: here\n\nWhen? Answer:")


@pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys")
@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3-window", "t5", "mixtral"])
def test_an_adapter_comes_back_from_disk_merged(tmp_path, name):
    ref = write_model(tmp_path / "model", name)
    lm = load(ref, "cpu", "float32")
    before = choose(lm, ["Where?"], LABELS)[0].label_logprobs
    add_lora(lm, 4, 8, 0.0)
    pairs = [(prompt_tokens(lm, "Where?"), answer_tokens(lm, "outage"))] * 4
    tune(lm, pairs, [], TuneSettings(3e-3, 4, 2, 0.1, 0.0, 1, 9), lambda **_: None)
    tuned = choose(lm, ["Where?"], LABELS)[0].label_logprobs
    save_trained(lm, tmp_path / "adapter", "float32")
    again = load(ref, "cpu", "float32", adapter=tmp_path / "adapter")
    assert again.route is lm.route
    served = choose(again, ["Where?"], LABELS)[0].label_logprobs
    assert served == pytest.approx(tuned, abs=2e-3)
    assert served["outage"] > before["outage"]


def test_a_label_without_a_letter_is_an_error(tmp_path):
    lm = load(write_model(tmp_path, "llama"), "cpu", "float32")
    for label in ("", "  ", "<pad>"):
        with pytest.raises(ModelError, match=r"label .* has no tokens"):
            choose(lm, ["Where?"], ["billing", label])


def test_labels_of_the_same_tokens_are_an_error(tmp_path):
    lm = load(write_model(tmp_path, "llama"), "cpu", "float32")
    with pytest.raises(ModelError, match="options 0 and 1 of prompt 0 are the same tokens"):
        choose(lm, ["Where?"], ["billing", "billing"])


def test_a_folder_that_is_no_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ModelError, match="model 'broken' cannot be loaded"):
        load(ModelRef("broken", str(tmp_path)), "cpu", "float32")
