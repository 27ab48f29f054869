"""The probe reads the frozen model once and learns a linear head; a hosted model is refused.

It loads tiny random models: the head's input is the engine's own, which no stand-in would show.
"""

from __future__ import annotations

import numpy as np
import pytest
from small_world import WORDS, context, fit_and_ship, rows
from task_folder import task_text, write
from tiny_models import write_model

from harness import Example, Query, Split, registry
from harness.run.planned import refusal
from harness.task import load_task
from strategies.lm_probe import LmProbe, Scale


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


def test_it_learns_the_rows_and_says_what_was_chosen(model, tmp_path):
    notes = []
    served = fit_and_ship("lm_probe", {}, context(model, notes=notes), tmp_path)
    found = served.predict(rows("train").queries)
    assert [p.text for p in found] == [row.targets[0] for row in rows("train")]
    told = [text for kind, text in notes if kind == "chosen"]
    assert any(text.startswith("states = layer ") and ", C " in text for text in told)
    assert ("refit", "trained again on all 12 labelled rows, validation rows included") in notes


def test_it_keeps_nothing_of_the_model(model, tmp_path):
    fit_and_ship("lm_probe", {}, context(model), tmp_path)
    kept = {path.name for path in (tmp_path / "shipped").rglob("*") if path.is_file()}
    assert kept == {"head.json", "head.npz", "scale.npz", "depth.json"}


def test_inputs_beyond_the_context_are_cut_and_counted(model, tmp_path):
    notes = []
    long = [Example(Query("long", "cloud " * 3000), ("sky",))]
    train = Split("train", (*rows("train"), *long))
    world = context(model, notes=notes)
    LmProbe(LmProbe.Params(), world).fit(train, Split("validation", ()), tmp_path)
    (said,) = [text for kind, text in notes if kind == "states"]
    assert said.startswith("1 of 7 inputs are cut to ")


def test_without_validation_rows_the_first_candidates_are_taken(model, tmp_path):
    notes = []
    world = context(model, notes=notes)
    LmProbe(LmProbe.Params(), world).fit(rows("train"), Split("validation", ()), tmp_path)
    assert any("there are no validation rows to choose on" in text for _, text in notes)
    served = LmProbe(LmProbe.Params(), world)
    served.load(tmp_path)
    assert {p.text for p in served.predict(rows("test").queries)} <= set(WORDS)


def test_states_are_scaled_so_that_no_dimension_dwarfs_the_others():
    states = np.random.default_rng(0).normal(size=(500, 8)) * [1, 1, 1, 1, 1, 1, 1, 1000]
    states[:, 0] = 3.0  # a dimension that says nothing
    scaled = Scale.of(states).scaled(states)
    assert (scaled**2).sum(axis=1).mean() == pytest.approx(7 / 8)
    assert not scaled[:, 0].any()


def test_a_hosted_model_is_refused_with_the_reason(tmp_path):
    hosted = {"provider": "openai", "base_url": "http://x/v1", "model": "far"}
    text = task_text(strategies=["lm_probe"], model=hosted)
    task = load_task(write(tmp_path, text))
    assert refusal(task, task.arms[0]) == "reads a model's hidden states; 'far' is hosted"


def test_it_tunes_no_weights_and_is_the_floor_of_those_who_do():
    assert registry.find("lm_probe").needs(LmProbe.Params()) == {"train", "model", "states"}
    for name in ("lora", "full_finetune", "prompt_tuning"):
        strategy = registry.find(name)
        (floor,) = strategy.floors(strategy.Params())
        assert (floor.strategy, floor.only_as_arm) == ("lm_probe", True)
