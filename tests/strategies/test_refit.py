"""Cheap arms choose on validation rows and learn from them then; as parts of others they do not.

A part's answers to rows that it has learnt from would be over-sure, and a threshold set on them
wrong.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp
from pathlib import Path

import pytest
from small_world import WORDS, context, fit_and_ship, write_embedder

from harness import registry
from harness.types import Example, Query, Split
from strategies.cascade import thresholds

REFITTED = ["tfidf", "nearest", "encoder"]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return write_embedder(tmp_path_factory.mktemp("tiny"))


def split(name, pairs):
    return Split(name, tuple(Example(Query(f"{name}-{w}", w), (label,)) for w, label in pairs))


TRAIN = split("train", [(word, label) for label, words in WORDS.items() for word in words])
LEARNT_LATE = split("validation", [("zebra", "sea"), ("cloud", "sky"), ("ship", "sea")])


def fitted(name, params, world, folder, embedder, validation=LEARNT_LATE):
    params = params | ({} if name == "tfidf" else {"embedder": embedder})
    params = registry.find(name).Params(**params)
    folder.mkdir(exist_ok=True)
    registry.find(name)(params, world).fit(TRAIN, validation, folder)
    served = registry.find(name)(params, world)
    served.load(folder)
    return served


def sureness(answer):
    return exp(max(answer.label_logprobs.values()))


def zebra_is_sea(served):
    (found,) = served.predict([Query("q", "zebra")])
    return found


@pytest.mark.parametrize("name", REFITTED)
def test_the_validation_rows_are_learnt_from_and_that_is_said(name, embedder, tmp_path):
    notes = []
    more = fitted(name, {}, context(notes=notes), tmp_path / "more", embedder)
    assert zebra_is_sea(more).text == "sea"
    assert ("refit", "trained again on all 9 labelled rows, validation rows included") in notes


@pytest.mark.parametrize("name", ["tfidf", "encoder"])
def test_they_are_not_where_the_user_does_not_want_it(name, embedder, tmp_path):
    notes = []
    more = fitted(name, {}, context(), tmp_path / "more", embedder)
    less = fitted(name, {"refit": False}, context(notes=notes), tmp_path / "less", embedder)
    assert sureness(zebra_is_sea(less)) < sureness(zebra_is_sea(more))
    assert "refit" not in {kind for kind, _ in notes}


@pytest.mark.parametrize("name", ["tfidf", "encoder", "nearest"])
def test_a_part_of_another_arm_learns_nothing_from_them_and_says_why(name, embedder, tmp_path):
    notes = []
    world = context(notes=notes)
    params = registry.find(name).Params(**({} if name == "tfidf" else {"embedder": embedder}))
    part = world.build(name, params.model_dump(), "cheap")
    part.fit(TRAIN, LEARNT_LATE, tmp_path)
    alone = fitted(name, {"refit": False}, context(), tmp_path / "alone", embedder)
    served = world.build(name, params.model_dump(), "cheap")
    served.load(tmp_path)
    asked = [Query("q", word) for word in ("zebra", "cloud", "ship", "star")]
    assert served.predict(asked) == alone.predict(asked)
    (said,) = [text for kind, text in notes if kind == "refit"]
    assert said.startswith("it learns nothing from the 3 validation rows: the arm that it is a")


@pytest.mark.parametrize("name", REFITTED)
def test_without_validation_rows_all_is_as_before(name, embedder, tmp_path):
    none = Split("validation", ())
    found = [
        fitted(name, {"refit": refit}, context(), tmp_path / str(refit), embedder, none)
        for refit in (True, False)
    ]
    asked = [Query("q", word) for word in ("zebra", "cloud", "ship")]
    assert found[0].predict(asked) == found[1].predict(asked)


def test_a_label_that_only_validation_rows_have_is_learnt(embedder, tmp_path):
    rows = split("validation", [("quartz", "rock"), ("cloud", "sky")])
    served = fitted("tfidf", {}, context(), tmp_path, embedder, rows)
    assert served.predict([Query("q", "quartz")])[0].text == "rock"


def test_a_cascade_sets_its_threshold_on_rows_that_its_cheap_part_has_not_learnt(tmp_path):
    logged = []
    dear = {"use": "tfidf", "inverse_regularisation": [1.0]}
    world = context(logged=logged)
    served = fit_and_ship("cascade", {"cheap": "tfidf", "dear": dear}, world, tmp_path)
    seen = [row["threshold"] for row in logged if "threshold" in row]
    cheap = fit_and_ship("tfidf", {"refit": False}, context(), tmp_path / "cheap")
    asked = [Query(f"validation-{w}", w) for words in WORDS.values() for w in words]
    sure = [sureness(answer) for answer in cheap.predict(asked)]
    assert seen == pytest.approx(list(thresholds(sure)))
    assert served.threshold in seen


def distilled(folder, holds_out):
    params = {"teacher": "majority", "student": "tfidf", "unlabelled": "new.jsonl"}
    distil, notes = registry.find("distil"), []
    unlabelled = {"new.jsonl": [Query("n", "a new text")]}
    world = replace(context(notes=notes), unlabelled=unlabelled, holds_out_validation=holds_out)
    folder.mkdir()
    distil(distil.Params(**params), world).fit(TRAIN, LEARNT_LATE, folder)
    return [text for kind, text in notes if kind == "refit"]


def test_a_student_learns_from_them_unless_its_whole_is_a_part_itself(tmp_path):
    assert distilled(tmp_path / "arm", False) == [
        "trained again on all 10 labelled rows, validation rows included"
    ]
    (said,) = distilled(tmp_path / "part", True)
    assert said.startswith("it learns nothing from the 3 validation rows")


@pytest.mark.parametrize("refit", [True, False])
def test_an_arm_learns_from_them_as_its_student_does(refit, tmp_path):
    (tmp_path / "new.jsonl").touch()
    distil, student = registry.find("distil"), {"use": "tfidf", "refit": refit}
    unlabelled = str(tmp_path / "new.jsonl")
    params = distil.Params(teacher="majority", student=student, unlabelled=unlabelled)
    assert registry.refits(distil, params, Path()) is refit
    assert registry.profile(distil, params, Path()).refits is refit
    cascade = registry.find("cascade")
    above = cascade.Params(cheap={"use": "distil", **params.model_dump()}, dear="majority")
    assert not registry.profile(cascade, above, Path()).refits  # it holds its parts off
