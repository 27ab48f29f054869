"""How prompting arms put their task: in which words, and calibrated before anything is served."""

from __future__ import annotations

import json
from dataclasses import replace
from math import exp

import numpy as np
import pytest
from small_world import LABELS, context, fit_and_ship, rows
from tiny_models import write_model

from harness import registry
from harness.errors import StrategyError
from harness.lm.chat import turns_of
from harness.toolkit.calibration import Calibration
from harness.types import Endpoint, Example, ModelRef, Prediction, Query, Split

NONE = Split("train", ())
ARMS = [("zero_shot", {}), ("few_shot", {"shots": 2, "select": "random"})]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


def fitted(name, params, world, folder, train=None, validation=None):
    strategy = registry.find(name)
    made = strategy(registry.resolved_params(strategy, params, folder), world)
    train, validation = train or rows("train"), validation or rows("validation")
    made.fit(train if len(train) else NONE, validation, folder)
    return made


def calibration_in(folder):
    return Calibration.load(folder / "calibration.json")


def uneven(extra):
    """Training rows of which one label has more than the other."""
    few = [Example(Query(f"few-{n}", f"word {n}"), ("sky",)) for n in range(extra)]
    return Split("train", (*rows("train"), *few))


def share_of_sky(answers):
    return np.mean([exp(answer.label_logprobs["sky"]) for answer in answers])


@pytest.mark.parametrize(("name", "params"), ARMS)
def test_a_form_left_open_and_words_for_labels_without_any_come_to_the_same(
    name, params, model, tmp_path
):
    world = context(model)
    bare = replace(world, task=replace(world.task, labels=dict.fromkeys(LABELS, "")))
    said = {}
    for kind, one in {"described": world, "bare": bare}.items():
        (folder := tmp_path / kind).mkdir()
        made = fitted(name, params, one, folder)
        made.load(folder)
        said[kind] = made.equivalents()
        asked = [p.prompt for p in made.predict(rows("test").queries)]
        for parameter, values in said[kind].items():
            for value in values:
                (again := tmp_path / kind / f"{parameter}-{value}").mkdir()
                other = fitted(name, {**params, parameter: value}, one, again)
                other.load(again)
                assert [p.prompt for p in other.predict(rows("test").queries)] == asked
    assert said["described"] == {"template": ["plain"]}
    assert set(said["bare"]) == {"template", "labels"}


def test_labels_come_up_as_often_as_in_the_training_rows(model, tmp_path):
    train = uneven(9)
    made = fitted("few_shot", {"shots": 2, "select": "random"}, context(model), tmp_path, train)
    assert set(calibration_in(tmp_path).bias) == set(LABELS)
    made.load(tmp_path)
    among_all = 12.5 / 16  # half a row more for each label; all rows are looked at again
    share = share_of_sky(made.predict(train.queries))
    assert share == pytest.approx((12 + among_all) / 16, abs=1e-3)


def test_zero_shot_looks_at_no_label(model, tmp_path):
    notes = []
    made = fitted("zero_shot", {}, context(model, notes=notes), tmp_path, uneven(9))
    made.load(tmp_path)
    assert share_of_sky(made.predict(uneven(9).queries)) == pytest.approx(0.5, abs=1e-3)
    assert any("without their answers" in text for _, text in notes)
    assert "validation" not in made.needs(made.params)
    assert "validation" in made.needs(type(made).Params(calibrate="vector"))


def test_off_keeps_the_models_own_scores(model, tmp_path):
    own = fit_and_ship("zero_shot", {"calibrate": "off"}, context(model), tmp_path / "off")
    moved = fit_and_ship("zero_shot", {}, context(model), tmp_path / "on")
    queries = rows("test").queries
    for plain, other in zip(own.predict(queries), moved.predict(queries), strict=True):
        found = moved.prompter.calibration.of(plain.label_logprobs)
        assert other.label_logprobs == pytest.approx(found, abs=1e-4)


def test_without_training_rows_labels_are_equally_frequent_and_the_record_says_so(model, tmp_path):
    notes = []
    world = context(model, notes=notes)
    strategy = registry.find("zero_shot")
    made = strategy(strategy.Params(), world)
    made.fit(NONE, NONE, tmp_path)
    assert ("calibration", "no training rows: labels are taken for equally frequent") in (notes)
    empty = made.predict([Query("e", text) for text in ("N/A", "", "[MASK]")])
    assert share_of_sky(empty) == pytest.approx(0.5, abs=1e-3)


def test_vector_with_too_few_rows_of_a_label_is_prior_matched_and_says_so(model, tmp_path):
    notes = []
    one_sided = Split("validation", tuple(row for row in rows("v") if row.targets == ("sky",)))
    params = {"calibrate": "vector"}
    fitted("zero_shot", params, context(model, notes=notes), tmp_path, None, one_sided)
    said = [text for kind, text in notes if kind == "calibration"]
    assert said[0].startswith("prior_matched in place of vector: a label has 0 validation rows")
    assert calibration_in(tmp_path).temperature == 1.0


def test_a_hosted_model_cannot_be_calibrated_and_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.lm.open_model", lambda context: pytest.fail("opened"))
    for name, params in ARMS:
        notes, folder = [], tmp_path / name
        folder.mkdir()
        ref = ModelRef("far", "http://localhost:1", hosted=Endpoint("openai", None))
        fitted(name, params, context(ref, notes=notes), folder)
        (said,) = [text for kind, text in notes if kind == "calibration"]
        assert said.startswith("calibration is not possible there: 'far' is hosted")
        assert calibration_in(folder) == Calibration()


def test_a_shown_row_is_no_demonstration_of_its_own_while_it_is_calibrated_on(
    model, tmp_path, monkeypatch
):
    asked = []

    def answer(model, prompts, task, spans=()):
        asked.extend(prompts)
        return [Prediction("sky", {"sky": -0.5, "sea": -1.0}) for _ in prompts]

    monkeypatch.setattr("harness.toolkit.prompter.answer", answer)
    fitted("few_shot", {"shots": 3, "select": "random"}, context(model), tmp_path)
    assert len(asked) == 6
    for prompt in asked:
        *shown, last = [turn for turn in turns_of(prompt)[0].split("\n\n") if "Input:" in turn]
        assert not any(block.startswith(last) for block in shown)


@pytest.mark.parametrize("labels", ["names", "described", "descriptions"])
def test_labels_are_worded_alike_in_list_demonstrations_and_answer(labels, model, tmp_path):
    params = {"shots": 2, "select": "balanced", "labels": labels}
    served = fit_and_ship("few_shot", params, context(model), tmp_path)
    (given,) = served.predict(rows("test").queries[:1])
    assert given.text in LABELS
    assert set(given.label_logprobs) == set(LABELS)
    text = given.prompt.text
    assert ("what is above" in text) is (labels != "names")
    assert ("- sky" in text) is (labels != "descriptions")
    assert ("Answer: what is above" in text) is (labels == "descriptions")


def test_a_label_without_description_stands_for_itself(model, tmp_path):
    world = context(model)
    world = replace(world, task=replace(world.task, labels={"sky": "what is above", "sea": ""}))
    served = fit_and_ship("zero_shot", {"labels": "descriptions"}, world, tmp_path)
    (given,) = served.predict(rows("test").queries[:1])
    assert "- what is above\n- sea\n" in given.prompt.text
    assert set(given.label_logprobs) == {"sky", "sea"}


def test_labels_that_are_described_alike_are_refused(model, tmp_path):
    world = context(model)
    world = replace(world, task=replace(world.task, labels={"sky": "water", "sea": "water"}))
    with pytest.raises(StrategyError, match=r"'sky' and 'sea' are described alike .* → describe"):
        fitted("zero_shot", {"labels": "descriptions"}, world, tmp_path)


def test_a_text_ends_where_a_line_does_if_all_targets_are_lines(model, tmp_path, monkeypatch):
    stops = []
    monkeypatch.setattr(
        "harness.toolkit.prompter.answer",
        lambda model, prompts, task, *_: (
            stops.append(task.stop) or [Prediction("") for _ in prompts]
        ),
    )
    for one_line in (True, False):
        world = context(model, "text")
        world = replace(world, task=replace(world.task, one_line=one_line))
        params = {"shots": 1, "select": "random"}
        fit_and_ship("few_shot", params, world, tmp_path / f"{one_line}").predict(
            rows("test").queries
        )
    assert stops == [("\n",), ("\nInput:", "\nPassages:")]


def test_the_artifact_holds_what_calibration_found(model, tmp_path):
    fitted("zero_shot", {}, context(model), tmp_path)
    kept = json.loads((tmp_path / "calibration.json").read_text())
    assert set(kept) == {"bias", "temperature"}
