"""After a training labels are calibrated on validation rows, and merging is looked at once."""

from __future__ import annotations

import json

import pytest
from small_world import LABELS, context, rows
from tiny_models import write_model

from harness import registry
from harness.lm.training.merge_check import MergeFinding, compared
from harness.types import Split

QUICK = {"epochs": 3, "rank": 2, "batch_size": 4, "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


def fitted(model, artifact, validation=None, **given):
    kind, notes = registry.find("lora"), []
    params = kind.Params(**QUICK | given)
    arm = kind(params, context(model, notes=notes))
    arm.fit(rows("train"), rows("validation") if validation is None else validation, artifact)
    served = kind(params, context(model, notes=notes))
    served.load(artifact)
    return served, notes


def test_labels_are_calibrated_on_validation_rows_and_the_artifact_says_how(model, tmp_path):
    served, notes = fitted(model, tmp_path)
    assert any(kind == "calibration" and "validation rows" in text for kind, text in notes)
    kept = json.loads((tmp_path / "calibration.json").read_text())
    assert set(kept["bias"]) == set(LABELS)
    queries = rows("train").queries
    calibrated = served.predict(queries)
    (tmp_path / "calibration.json").write_text(json.dumps({"bias": {}, "temperature": 1.0}))
    again = registry.find("lora")(served.params, context(model))
    again.load(tmp_path)
    plain = again.predict(queries)
    for one, other in zip(calibrated, plain, strict=True):
        moved = served.calibration.of(other.label_logprobs)
        assert one.label_logprobs == pytest.approx(moved, abs=1e-5)


@pytest.mark.parametrize(
    ("given", "validation"),
    [
        ({"calibrate": "off"}, None),
        ({"class_weight": "balanced"}, None),
        ({}, Split("validation", ())),
    ],
)
def test_where_nothing_is_calibrated_the_models_own_scores_are_served(
    given, validation, model, tmp_path
):
    served, _ = fitted(model, tmp_path, validation, **given)
    assert dict(served.calibration.bias) == {}
    assert served.predict(rows("train").queries)[0].label_logprobs


def test_a_merge_that_changes_an_answer_is_not_made_and_the_record_says_so(model, tmp_path):
    served, notes = fitted(model, tmp_path)
    found = MergeFinding.read(tmp_path)
    assert found.harmless  # in float32 merging rounds next to nothing
    assert found.mean_change < 1e-3
    assert not hasattr(served.model.model, "peft_config")
    assert "engine" not in {kind for kind, _ in notes}

    MergeFinding(found.rows, 1, 0.01).save(tmp_path)
    notes.clear()
    again = registry.find("lora")(served.params, context(model, notes=notes))
    again.load(tmp_path)
    assert hasattr(again.model.model, "peft_config")
    [(_, text)] = [said for said in notes if said[0] == "engine"]
    assert "changed 1 of" in text
    assert "unmerged" in text
    queries = rows("train").queries
    for one, other in zip(served.predict(queries), again.predict(queries), strict=True):
        assert one.label_logprobs == pytest.approx(other.label_logprobs, abs=1e-3)


def test_a_changed_label_or_a_large_change_forbids_merging():
    apart = [[-0.1, -2.0], [-1.0, -0.4]]
    assert compared(apart, apart, labels=True) == MergeFinding(2, 0, 0.0)
    swapped = [[-0.1, -2.0], [-0.5, -0.6]]
    assert compared(apart, swapped, labels=True).changed == 1
    assert not compared(apart, swapped, labels=True).harmless
    assert compared(apart, swapped, labels=False).harmless
    assert not compared([[-0.1]], [[-0.4]], labels=False).harmless


@pytest.mark.parametrize("objective", ["head", "label_softmax", "label_text"])
@pytest.mark.parametrize("weight", ["none", "balanced"])
def test_an_objective_is_learnt_and_served_or_refused(objective, weight, model, tmp_path):
    if objective == "label_text" and weight == "balanced":
        with pytest.raises(Exception, match="leave `class_weight` out"):
            fitted(model, tmp_path, objective=objective, class_weight=weight)
        return
    served, notes = fitted(model, tmp_path, objective=objective, class_weight=weight)
    assert any(text.startswith(f"{objective}: 3 epochs") for _, text in notes)
    assert (tmp_path / "label_head.safetensors").is_file() is (objective == "head")
    for answer in served.predict(rows("train").queries):
        assert set(answer.label_logprobs) == set(LABELS)
        assert answer.text in LABELS


def test_a_task_without_labels_refuses_what_needs_some(model, tmp_path):
    kind = registry.find("lora")
    params = kind.Params(**QUICK, objective="head")
    arm = kind(params, context(model, kind="text"))
    with pytest.raises(Exception, match="objective: 'head' is for tasks with labels"):
        arm.fit(rows("train"), rows("validation"), tmp_path)
