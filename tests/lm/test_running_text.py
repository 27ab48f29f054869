"""Running text: no chat template is applied, on every route, and what ends an answer is its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_server import open_at, reply
from tiny_models import write_model
from word_model import word_model

from harness.lm import Generation, load
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.hosted.client import IN_A_TURN
from harness.lm.inference.routes import PACKED, PLAIN
from harness.types import ChatSettings, RunningText

TEXT = "What?\n\nInput: sky\nAnswer: blue\n\nInput: leaf\nAnswer:"
PROMPTS = [RunningText(TEXT), RunningText(TEXT.replace("leaf", "sea"))]
LABELS = ["blue", "blue green", "red"]


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return load(write_model(folder, "llama-tied", chat=True), "cpu", "float32")


def test_the_text_goes_in_as_it_stands(chat_model):
    tokens = prompt_tokens(chat_model, PROMPTS[0])
    assert tokens == chat_model.tokenizer(TEXT).input_ids
    assert prompt_tokens(chat_model, TEXT) != tokens


@pytest.mark.parametrize("route", [PACKED, PLAIN])
def test_an_option_is_scored_as_it_stands_in_the_text(chat_model, monkeypatch, route):
    """A direct pass over the whole text gives the same sum of log-likelihoods."""
    import torch

    monkeypatch.setattr(chat_model, "route", route)
    tokenizer = chat_model.tokenizer
    for prompt, scored in zip(PROMPTS, chat_model.score_options(PROMPTS, LABELS), strict=True):
        begin = tokenizer(prompt.text).input_ids
        for label, value in zip(LABELS, scored.log_likelihoods, strict=True):
            answer = tokenizer(f"{prompt.text} {label}").input_ids
            whole = tokenizer(f"{prompt.text} {label}\n\nInput").input_ids[: len(answer) + 1]
            assert whole[:-1] == answer
            assert whole[: len(begin)] == begin
            with torch.inference_mode():
                logits = chat_model.model(torch.tensor([whole])).logits[0].log_softmax(-1)
            behind = range(len(begin), len(whole))
            expected = sum(float(logits[at - 1, whole[at]]) for at in behind)
            assert value == pytest.approx(expected, abs=1e-3)


def test_a_text_alone_is_rated_without_what_ends_it(chat_model):
    alone = chat_model.log_likelihood(PROMPTS[:1], ["blue"])[0]
    (scored,) = chat_model.score_options(PROMPTS[:1], ["blue", "blue green"])
    assert alone > scored.log_likelihoods[0]


def test_prompts_of_several_kinds_are_scored_in_one_call(chat_model):
    both = [PROMPTS[0], "Which?"]
    together = chat_model.score_options(both, LABELS)
    for prompt, scored in zip(both, together, strict=True):
        (alone,) = chat_model.score_options([prompt], LABELS)
        assert scored.log_likelihoods == pytest.approx(alone.log_likelihoods, abs=1e-3)
        assert scored.option_tokens == alone.option_tokens


def test_the_prefix_is_kept_between_calls(chat_model):
    chat_model.prefix.clear()
    chat_model.score_options(PROMPTS, LABELS)
    (again,) = chat_model.score_options(PROMPTS[:1], LABELS)
    assert (again.cached_tokens or 0) >= 16


def test_an_answer_names_its_prompt_and_begins_behind_the_space(chat_model):
    (answer,) = chat_model.generate(PROMPTS[:1], Generation(4))
    assert answer.prompt == PROMPTS[0]
    assert not answer.text.startswith(" ")


def test_a_tokenizer_that_drops_line_ends_gets_the_models_end():
    words = word_model(None)
    assert answer_tokens(words, "blue green", PROMPTS[0])[-3:] == ["blue", "green", 0]
    assert answer_tokens(words, "blue", PROMPTS[0], ended=False) == ["blue"]


@pytest.mark.usefixtures("asking")
def test_a_chat_gets_it_as_one_turn_and_the_record_says_so(served):
    script = served(default=reply("blue", {}))
    model = open_at(script.url)
    model.generate(PROMPTS[:1], Generation(4))
    assert script.bodies[0]["messages"] == [{"role": "user", "content": TEXT}]
    assert IN_A_TURN in model.server.told


@pytest.mark.parametrize("chat", [True, False])
def test_small_models_and_those_without_turns_read_running_text(tmp_path, chat):
    model = load(write_model(tmp_path, "llama-tied", chat=chat), "cpu", "float32")
    assert model.default_form == "plain"


def test_a_large_model_that_knows_turns_gets_turns(chat_model, monkeypatch):
    monkeypatch.setattr(chat_model.model, "num_parameters", lambda: 10**9)
    assert chat_model.default_form == "turns"


def test_a_task_that_sets_variables_of_the_template_wants_it_applied(chat_model, monkeypatch):
    chat = ChatSettings(template_kwargs={"enable_thinking": True})
    monkeypatch.setattr(chat_model, "ref", replace(chat_model.ref, chat=chat))
    assert chat_model.default_form == "turns"
