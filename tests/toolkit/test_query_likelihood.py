"""A passage from which a question could have been asked ranks first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import StrategyError
from harness.toolkit import QueryLikelihood
from harness.types import ModelRef, RunningText


class Counting:
    """Finds a text the likelier, the more of its words stand in the prompt."""

    def __init__(self, *abilities):
        self.abilities = {"log_likelihood", *abilities}
        self.asked = []

    def log_likelihood(self, prompts, completions):
        self.asked += prompts
        texts = [p.text if isinstance(p, RunningText) else p for p in prompts]
        return [
            -sum(word not in text for word in said.split())
            for text, said in zip(texts, completions, strict=True)
        ]


@pytest.mark.parametrize(("abilities", "kind"), [((), str), (("running_text",), RunningText)])
def test_passages_are_scored_by_the_questions_likelihood(abilities, kind):
    model = Counting(*abilities)
    scores = QueryLikelihood(model).scores("loose bolt", ["a bell", "the loose bolt", "a bolt"])
    assert scores == [-2, 0, -1]
    assert {type(prompt) for prompt in model.asked} == {kind}


def test_a_model_without_likelihoods_is_refused_with_a_way_out():
    hosted = SimpleNamespace(abilities=frozenset(), ref=ModelRef("asked", "http://x"))
    with pytest.raises(StrategyError, match=r"'asked' .* → name a cross-encoder"):
        QueryLikelihood(hosted)
