"""How likely a hosted model says its tokens are: asked for where it decides, unknown otherwise."""

from __future__ import annotations

import json

import pytest
from scripted_server import fails, open_at, reply

from harness.lm.model import Generation

pytestmark = pytest.mark.usefixtures("asking")


def with_logprobs(values):
    """A proper reply with a log-probability for each token, as OpenAI's servers send them."""
    content = [{"token": "a", "bytes": [97], "logprob": v, "top_logprobs": []} for v in values]
    whole = reply()

    class Kept:
        def send(self, status, text):
            self.body = json.loads(text)

    def step(call):
        kept = Kept()
        whole(kept)
        kept.body["choices"][0]["logprobs"] = {"content": content}
        call.send(200, json.dumps(kept.body))

    return step


def asked(script, logprobs=True):
    model = open_at(script.url, notes := [])
    model.server.logprobs = logprobs
    (answer,) = model.generate(["one"], Generation(9))
    return answer, notes


def test_it_is_asked_only_where_it_decides(served):
    script = served()
    asked(script, logprobs=False)
    assert "logprobs" not in script.bodies[0]
    asked(script)
    assert script.bodies[1]["logprobs"] is True


def test_mean_and_least_are_those_of_the_tokens(served):
    answer, _ = asked(served(with_logprobs([-0.1, -0.5, 0.0])))
    assert answer.mean_logprob == pytest.approx(-0.2)
    assert answer.least_logprob == -0.5


@pytest.mark.parametrize("values", [[], [-0.1, -9999.0], [0.5], [None], ["-0.1"]])
def test_what_is_no_probability_makes_all_unknown(served, values):
    answer, _ = asked(served(with_logprobs(values)))
    assert (answer.text, answer.mean_logprob, answer.least_logprob) == ("fine", None, None)


def test_a_server_that_gives_none_answers_without_and_it_is_said(served):
    refusal = fails(400, "no", code="unsupported_parameter", param="logprobs")
    script = served(refusal, reply())
    answer, notes = asked(script)
    assert (answer.text, answer.mean_logprob) == ("fine", None)
    assert "logprobs" not in script.bodies[1]
    assert "the server gives no probabilities of tokens" in notes
