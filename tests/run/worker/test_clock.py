"""What answers took and cost where a server gave them: counted by the client, added by the harness.

The strategies below do nothing about time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted_server import KEY, Script, fails, reply, serving, slow
from small_world import context

from harness import lm, toolkit
from harness.lm.hosted import calls
from harness.run.worker.clock import Clock, accounted
from harness.run.worker.predict import predict_all, timed
from harness.strategy import Strategy
from harness.types import Endpoint, ModelRef, Prediction, Query

DELAY_S = 0.05
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 1.0}
EACH_USD = 107e-6
"""100 tokens of a prompt and 7 of an answer, as the scripted server says."""
QUERIES = [Query(str(n), f"question {n}") for n in range(3)]


class Once(Strategy):
    """Passes a server's answers on."""

    def load(self, artifact):
        self.model = lm.open_model(self.context)

    def predict(self, queries):
        return self.ask([query.text for query in queries])

    def ask(self, prompts):
        return toolkit.answer(self.model, prompts, self.context.task)


class Joined(Once):
    """Asks twice and joins the texts, in predictions of its own."""

    def predict(self, queries):
        drafts = super().predict(queries)
        finals = self.ask([f"{query.text}, really?" for query in queries])
        pairs = zip(drafts, finals, strict=True)
        return [Prediction(f"{draft.text} {final.text}") for draft, final in pairs]


class Refined(Joined):
    """Asks twice and passes on the second answer, which says what itself took alone."""

    def predict(self, queries):
        texts = [joined.text for joined in super().predict(queries)]
        again = self.ask([f"{query.text}, really?" for query in queries])
        return [replace(given, text=text) for given, text in zip(again, texts, strict=True)]


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Make a strategy that asks the server of a script; answers are kept for the test alone."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)

    def make(kind, script, **endpoint):
        settings = {"provider": "openai", "key_env": "TEST_KEY", "max_retries": 0}
        hosted = Endpoint(**{**settings, **PRICES, **endpoint})
        world = context(ModelRef("far", script.url, hosted=hosted), "text")
        strategy = kind(kind.Params(), world)
        strategy.load(tmp_path)
        return strategy

    return make


@pytest.mark.parametrize(("kind", "requests"), [(Once, 1), (Joined, 2), (Refined, 3)])
def test_a_single_request_takes_as_long_replayed_as_it_took_live(at, kind, requests):
    with serving(Script(default=slow(DELAY_S, reply()))) as script:
        live_s = timed(at(kind, script), QUERIES[0])
        asked = len(script.bodies)
        replayed_s = timed(at(kind, script), QUERIES[0])
        assert len(script.bodies) == asked  # nothing was asked again, and nobody waited
    assert live_s >= requests * DELAY_S
    assert replayed_s >= requests * DELAY_S


@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize(("kind", "requests"), [(Once, 1), (Joined, 2), (Refined, 3)])
def test_every_request_is_in_the_figures_of_some_answer(at, kind, requests, replayed):
    with serving(Script(default=slow(DELAY_S, reply()))) as script:
        if replayed:
            predict_all(at(kind, script), QUERIES)
        with Clock() as clock:
            found = predict_all(at(kind, script), QUERIES)
    assert [answer.usd for answer in found] == pytest.approx([requests * EACH_USD] * 3)
    assert [answer.prompt_tokens for answer in found] == [requests * 100] * 3
    assert [answer.output_tokens for answer in found] == [requests * 7] * 3
    whole_s = sum(answer.wall_s for answer in clock.answers)
    assert len(clock.answers) == requests * 3
    assert whole_s <= sum(answer.wall_s for answer in found) <= whole_s + clock.own_s


def test_what_a_server_does_not_say_of_one_of_its_answers_is_unknown(at):
    by_prompt = {f"{query.text}, really?": [reply(usage=None)] for query in QUERIES}
    with serving(Script(by_prompt=by_prompt)) as script:
        found = predict_all(at(Joined, script), QUERIES)
    assert [(p.usd, p.prompt_tokens, p.output_tokens) for p in found] == [(None, None, None)] * 3
    assert all(answer.wall_s for answer in found)


def test_a_failed_item_stays_as_it_is_and_the_others_carry_what_was_asked(at):
    class Picky(Joined):
        def predict(self, queries):
            made = super().predict(queries)
            return [Prediction("", error="no"), *made[1:]]

    with serving(Script()) as script:
        failed, *others = predict_all(at(Picky, script), QUERIES)
    assert failed == Prediction("", error="no")
    assert [answer.prompt_tokens for answer in others] == [300, 300]  # six requests of 100


def test_what_was_made_here_beside_a_servers_answers_cost_nothing_and_took_our_time(at):
    class Sometimes(Once):
        def predict(self, queries):
            return [Prediction("known"), *super().predict(queries[1:])]

    with serving(Script(fails(400), default=reply())) as script:
        known, failed, asked = predict_all(at(Sometimes, script, concurrency=1), QUERIES)
    assert (known.usd, known.prompt_tokens, known.output_tokens) == (0.0, 0, 0)
    assert 0 < known.wall_s < asked.wall_s
    assert failed.error
    assert failed.wall_s is None
    assert asked.usd == pytest.approx(EACH_USD)


FROM_A_FILE = Prediction("a", wall_s=2.0, usd=0.1)


def elsewhere(replays_itself, given, replays):
    """Account for an answer that no client of ours gave, as if it had taken a second here."""

    class Given(Once):
        pass

    Given.replays = replays_itself
    clock = Clock()
    clock._wall_s, clock.calls = 1.0, ()
    (found,) = accounted(Given(None, context()), [given], clock, replays)
    return found


def test_answers_of_a_file_keep_their_own_times():
    assert elsewhere(True, FROM_A_FILE, replays=True) == FROM_A_FILE


def test_beside_a_file_what_was_done_here_is_added_to_what_is_known():
    assert elsewhere(False, FROM_A_FILE, replays=True) == replace(FROM_A_FILE, wall_s=3.0)
    unknown = Prediction("a", usd=0.1)
    assert elsewhere(False, unknown, replays=True) == unknown


def test_an_answer_that_was_made_here_alone_has_no_figures_of_its_own():
    made = Prediction("a", prompt_tokens=3)
    assert elsewhere(False, made, replays=False) == made


def test_a_server_of_a_strategys_own_is_believed():
    assert elsewhere(False, FROM_A_FILE, replays=False) == FROM_A_FILE


def test_requests_at_once_take_as_long_as_their_lanes():
    assert calls.together_s([1.0, 1.0, 1.0, 1.0], 2) == 2.0
    assert calls.together_s([3.0, 1.0, 1.0, 1.0], 2) == 3.0
    assert calls.together_s([1.0, 2.0], 8) == 2.0
    assert calls.together_s([], 8) == 0.0


def test_a_call_that_is_replayed_in_part_is_short_of_the_rest_alone():
    answers = [Prediction("a", wall_s=1.0), Prediction("b", wall_s=1.0), Prediction("", error="no")]
    calls.record(1.2, answers, concurrency=1)
    last = lm.hosted_calls()[-1]
    assert last.replayed_s == pytest.approx(0.8)
    assert [answer.text for answer in last.answers] == ["a", "b"]
    calls.record(2.5, answers, concurrency=1)
    assert lm.hosted_calls()[-1].replayed_s == 0.0
