"""GEPA itself, with a scripted model and reflector: what is kept, counted and refused."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from scripted_server import Script, fails, reply, serving
from small_world import WORDS, context, rows

from harness import lm, registry
from harness.errors import EndpointError, StrategyError
from harness.types import Context, Endpoint, ModelRef, Prediction
from strategies.prompt_search import PromptSearch

gepa = pytest.importorskip("gepa", reason="GEPA is not installed (the extra `prompts`)")
OWN, BETTER = "Where is it?", "Say sky for what flies and sea for what swims."
PLACE = {word: label for label, words in WORDS.items() for word in words}
FAR = {"provider": "openai", "base_url": "http://x/v1", "model": "far"}
PUT = {"template": "turns", "calibrate": "off"}


def answering(understands):
    """A model that answers rightly under one instruction and else always the same."""

    def answer(model, prompts, facts, spans=()):
        return [Prediction(answered(str(prompt))) for prompt in prompts]

    def answered(prompt):
        (word,) = (word for word in PLACE if f"{word}" in prompt.rsplit("Input:", 1)[-1])
        return PLACE[word] if understands in prompt else "sky"

    return answer


def searched(folder, monkeypatch, url, understands=BETTER, **params):
    """Search with a local model that is scripted and a reflector behind a server."""
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TEST_KEY", "sk-of-the-reflector")
    endpoint = Endpoint("openai", key_env="TEST_KEY", max_retries=0, concurrency=1)
    reflector = ModelRef("far", url, hosted=endpoint)
    notes = []
    spec = {**FAR, "base_url": url}
    world = replace(context(notes=notes), models={f"far at {url}": reflector})
    opened = lm.open_model

    def open_model(told: Context):
        return opened(told) if told.model else SimpleNamespace(context_tokens=None)

    monkeypatch.setattr("harness.lm.open_model", open_model)
    monkeypatch.setattr("harness.toolkit.prompter.answer", answering(understands))
    made = PromptSearch(PromptSearch.Params(reflector=spec, **PUT, **params), world)
    made.fit(rows("train"), rows("validation"), folder)
    return made, json.loads((folder / "instruction.json").read_text()), notes


@pytest.mark.parametrize(("understands", "kept"), [(BETTER, BETTER), ("nothing", OWN)])
def test_what_the_reflector_writes_is_kept_only_if_it_does_better_on_other_rows(
    tmp_path, monkeypatch, understands, kept
):
    with serving(Script(default=reply(f"```\n{BETTER}\n```"))) as server:
        made, best, notes = searched(tmp_path, monkeypatch, server.url, understands, calls=60)
    assert best == kept
    shown = server.bodies[0]["messages"][0]["content"]
    assert OWN in shown
    assert "Right is: sea" in shown  # what was wrong of a training row, and what is right
    assert not any("validation" in str(body) for body in server.bodies)
    assert any("reflections by far" in text for _, text in notes)
    made.load(tmp_path)
    made.predict(rows("test").queries)


def test_rows_that_are_sorted_by_their_answers_are_searched_and_chosen_on_alike(
    tmp_path, monkeypatch
):
    seen = {}

    def optimise(valset, **_):
        seen["searched"] = valset
        own = [{"instruction": OWN}]
        return SimpleNamespace(val_aggregate_scores=[0.5], candidates=own, total_metric_calls=1)

    def keep_best(arm, instructions, others, *_):
        seen["chosen"] = others

    monkeypatch.setattr("strategies.prompt_search.gepa_optimize", lambda: optimise)
    monkeypatch.setattr(PromptSearch, "keep_best", keep_best)
    monkeypatch.setattr("harness.lm.open_model", lambda told: None)
    far = ModelRef("far", "http://x/v1", hosted=Endpoint("openai", key_env="TEST_KEY"))
    world = replace(context(), models={"far at http://x/v1": far})
    PromptSearch(PromptSearch.Params(reflector=FAR), world).fit(
        rows("train"), rows("validation"), tmp_path
    )
    for some in seen.values():
        assert {row.targets[0] for row in some} == {"sky", "sea"}
        assert len(some) == 3


def test_the_budget_holds(tmp_path, monkeypatch):
    with serving(Script(default=reply("```\nSay it.\n```"))) as server:
        _, _, notes = searched(tmp_path, monkeypatch, server.url, calls=500, reflections=3)
        assert len(server.bodies) <= 3  # the same question is asked once
    (said,) = (text for kind, text in notes if kind == "search" and "GEPA kept" in text)
    assert "of 3 reflections" in said


def test_what_ends_the_reflectors_server_ends_the_fit_and_is_not_swallowed(tmp_path, monkeypatch):
    with serving(Script(default=fails(402, "no money left"))) as server:
        with pytest.raises(EndpointError, match="no money left"):
            searched(tmp_path, monkeypatch, server.url)
        assert len(server.bodies) == 1


def test_a_reflector_that_says_nothing_leaves_the_task_its_own_instruction(tmp_path, monkeypatch):
    with serving(Script(default=reply(""))) as server:
        _, best, _ = searched(tmp_path, monkeypatch, server.url, calls=60, reflections=3)
    assert best == OWN


def test_without_gepa_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gepa", None)
    made = PromptSearch(PromptSearch.Params(reflector=FAR), context())
    with pytest.raises(StrategyError, match=r"not installed → pip install 'worth-tuning\[prompts"):
        made.fit(rows("train"), rows("validation"), tmp_path)


def test_without_validation_rows_it_says_what_to_add(tmp_path):
    made = PromptSearch(PromptSearch.Params(reflector=FAR), context())
    with pytest.raises(StrategyError, match=r"there are 0 → add data\.validation"):
        made.fit(rows("train"), replace(rows("validation"), examples=()), tmp_path)


def test_without_a_reflector_it_is_refused():
    with pytest.raises(ValueError, match=r"no model is named .* → write reflector: MODEL"):
        PromptSearch.Params()


def test_its_reflector_serves_nobody(tmp_path):
    strategy = registry.find("prompt_search")
    params = registry.resolved_params(strategy, {"reflector": FAR}, tmp_path)
    (beside,) = registry.profile(strategy, params, tmp_path).beside
    assert (beside.model, beside.serves) == (FAR, False)
