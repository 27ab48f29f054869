"""A hosted arm whose money is used up stops searching and says so; a scripted server charges."""

from __future__ import annotations

import pytest
from scripted_server import KEY, USAGE, Script, fails, reply, serving

from harness.store.search_record import read_search

SOURCE = """
from pydantic import Field
import harness
from harness import Strategy, lm, search, toolkit

class Asking(Strategy):
    needs_model = True

    class Params(harness.Params):
        style: int = Field(0, json_schema_extra=search([0, 1, 2, 3, 4]))

    def load(self, artifact):
        self.model = lm.open_model(self.context)

    def predict(self, queries):
        prompts = [f"{self.params.style}: {query.text}" for query in queries]
        return toolkit.answer(self.model, prompts, self.context.task)
"""
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0}
AN_ANSWER = (USAGE["prompt_tokens"] + 2 * USAGE["completion_tokens"]) / 1e6
ROWS = 4
"""Validation rows of a tiny task."""


@pytest.fixture
def searched(tiny, run_tiny, tmp_path, monkeypatch):
    """Run an arm over a server with so much money for its search; returns the search and record."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)

    def run(script, usd, run="run", **effort):
        spec = {"provider": "openai", "base_url": script.url, "model": "far", "key_env": "TEST_KEY"}
        hosted = {**spec, "max_retries": 0, "concurrency": 1, **PRICES}
        arm = {"use": "own.py:Asking", "name": "asking"}
        path = tiny(tmp_path, SOURCE, [arm], model=hosted, effort={"usd": usd, **effort})
        folder, records = run_tiny(path, tmp_path / run)
        record = records["asking"]
        return read_search(folder.fit_folder("asking", record.fit_id)), record

    return run


def test_money_that_is_used_up_ends_the_search(searched):
    with serving(Script(default=reply("a"))) as script:
        found, record = searched(script, 2.5 * ROWS * AN_ANSWER)
    assert record.status == "ok"
    assert (found.ended, len(found.trials)) == ("usd", 2)
    assert sum(trial.usd for trial in found.trials) == pytest.approx(2 * ROWS * AN_ANSWER)
    assert len(script.bodies) == 2 * ROWS + 8  # the test rows, once
    assert record.fit.loaded_models[-1].requests == ROWS


def test_money_for_the_defaults_alone_is_not_spent_on_comparing_nothing(searched):
    with serving(Script(default=reply("a"))) as script:
        found, record = searched(script, 1.5 * ROWS * AN_ANSWER)
    assert (found.ended, found.chosen, len(found.trials)) == ("usd", 0, 1)
    assert "used up the dollars" in found.why
    assert record.status == "ok"


def test_replayed_answers_count_as_if_they_were_asked(searched):
    """So the search of a second run, whose answers lie in the cache, ends where the first did."""
    with serving(Script(default=reply("a"))) as script:
        first, _ = searched(script, 3.5 * ROWS * AN_ANSWER)
        asked = len(script.bodies)
        again, _ = searched(script, 3.5 * ROWS * AN_ANSWER, run="other")
        assert len(script.bodies) == asked
    assert [trial.changed for trial in again.trials] == [trial.changed for trial in first.trials]
    assert len(first.trials) == 3


def test_a_server_that_is_down_ends_the_run_of_the_arm_and_the_next_goes_on(searched):
    with serving(Script(*[reply("a")] * 6, default=fails(401, "no such key"))) as script:
        _, record = searched(script, 1.0, trials=3)
        assert record.status == "failed"
        script.default = reply("a")
        asked = len(script.bodies)
        found, record = searched(script, 1.0, trials=3)
    assert record.status == "ok"
    assert len(found.trials) == 3
    assert len(script.bodies) - asked == 3 * ROWS - 6 + 8
