"""Every model that strategies are handed keeps one contract, and the contract finds breaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_server import open_at, reply
from tiny_models import write_model

from harness.errors import ModelError
from harness.lm import Generation, load
from harness.lm.testing import OPTIONS, PROMPTS, check_model


@pytest.mark.parametrize(
    ("name", "chat"), [("llama-tied", True), ("llama-tied", False), ("bloom", True), ("t5", False)]
)
def test_models_in_memory_keep_it_on_every_route(tmp_path, name, chat):
    model = load(write_model(tmp_path, name, chat=chat), "cpu", "float32")
    check_model(model)
    assert model.has_turns is chat


@pytest.mark.usefixtures("asking")
def test_a_hosted_model_keeps_what_it_claims(served):
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    script = served(default=reply("cloudy", usage))
    check_model(open_at(script.url, name="asked"))
    assert {body["model"] for body in script.bodies} == {"asked"}


@pytest.mark.usefixtures("asking")
def test_what_a_server_cannot_do_is_refused_with_the_reason(served):
    model = open_at(served().url)
    assert model.abilities == frozenset()
    for refused, why in (
        (lambda: model.score_options(PROMPTS, OPTIONS), "scores no options"),
        (lambda: model.log_likelihood(PROMPTS, OPTIONS), "scores no given text"),
        (lambda: model.count_tokens("one"), "counts no tokens"),
    ):
        with pytest.raises(ModelError, match=f"'asked' is hosted, and its server {why}"):
            refused()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return load(write_model(tmp_path_factory.mktemp("tiny"), "llama-tied"), "cpu", "float32")


class Altered:
    """A sound model with some of its methods replaced."""

    def __init__(self, model, **changed):
        self.model = model
        vars(self).update(changed)

    def __getattr__(self, name):
        return getattr(self.model, name)


@pytest.mark.parametrize(
    ("breach", "words"),
    [
        (lambda m: {"abilities": frozenset({"sing"})}, "abilities must be some of"),
        (lambda m: {"abilities": frozenset()}, "not among its abilities, and yet it answers"),
        (lambda m: {"generate": lambda p, s: m.generate(p, s)[:1]}, "gave 1 answers to 4 prompts"),
        (
            lambda m: {"generate": lambda p, s: m.generate(p[::-1], s)},
            "names .* as its prompt",
        ),
        (
            lambda m: {"generate": lambda p, s: m.generate(p, replace(s, max_new_tokens=9))},
            "has 9 tokens, of at most 6",
        ),
        (
            lambda m: {"generate": lambda p, s: m.generate(p, replace(s, max_new_tokens=3))},
            "an answer of 3 tokens says it was cut at 6",
        ),
        (
            lambda m: {"generate": lambda p, s: m.generate(p, Generation(s.max_new_tokens))},
            "goes on behind the stop string",
        ),
        (lambda m: {"count_tokens": lambda p: 3}, "gives 3 for one word and 3 for forty"),
        (lambda m: {"has_room": lambda p, a: True}, "has_room finds room for"),
        (
            lambda m: {"log_likelihood": lambda p, c: [v - 99 for v in m.log_likelihood(p, c)]},
            "cannot be likelier than without",
        ),
        (
            lambda m: {"score_options": lambda p, o: m.score_options(p, sorted(o))},
            "depends on its place",
        ),
    ],
)
def test_each_breach_is_found(sound, breach, words):
    check_model(Altered(sound))
    with pytest.raises(ModelError, match=words):
        check_model(Altered(sound, **breach(sound)))
