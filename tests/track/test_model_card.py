"""Cards are what the hub reads, whatever texts a task is made of."""

from __future__ import annotations

import pytest
from hand_made import TARGETS, Arm, right, write_run
from hostile_texts import HOSTILE
from huggingface_hub import ModelCard

from harness.analysis import analyse
from harness.store.fit_account import ARTIFACT
from harness.track import write_cards
from harness.types import ModelRef

TUNED = {"needs_model": True, "tunes": True, "params": {"rank": 8}}
MODEL = ModelRef("owner/small", "/home/somebody/.cache/small", revision="abc", licence="Apache-2.0")


def cards(tmp_path, model=MODEL, seeds=(0, 1), params=None, adapter=True, **task):
    plan = {**TUNED, "params": params or TUNED["params"]}
    answers = [right(TARGETS, [0, 1]), right(TARGETS, [0])][: len(seeds)]
    arms = [Arm("lora", answers, plan=plan), Arm("tfidf", [right(TARGETS)] * len(seeds))]
    folder = write_run(tmp_path / "run", TARGETS, arms, seeds=seeds, model=model, **task)
    for trial in folder.last_header().trials:
        artifact = folder.fit_folder(trial.arm, trial.fit_id) / ARTIFACT
        artifact.mkdir(parents=True)
        if adapter:
            (artifact / "adapter_config.json").write_text("{}")
    return folder, write_cards(folder, analyse(folder, None))


def test_a_card_says_what_the_hub_asks_for(tmp_path):
    folder, paths = cards(tmp_path)
    assert len(paths) == 2  # of tuned arms, one a training; tfidf has none
    first = next(t for t in folder.last_header().trials if t.arm == "lora" and t.seed == 0)
    path = folder.fit_folder("lora", first.fit_id) / "README.md"
    assert path in paths
    read = ModelCard.load(path, ignore_metadata_errors=False)
    data = read.data.to_dict()
    assert data["base_model"] == "owner/small"
    assert data["license"] == "apache-2.0"
    assert data["library_name"] == "peft"
    assert data["pipeline_tag"] == "text-classification"
    assert data["metrics"] == ["accuracy"]
    [result] = read.data.eval_results
    assert result.metric_value == pytest.approx(118 / 120)
    assert result.metric_args["ci_low"] < result.metric_value < result.metric_args["ci_high"]
    assert "| `accuracy` | 0.983 |" in read.text
    assert "/home/somebody" not in path.read_text()


def test_a_card_of_one_of_several_trainings_has_no_mean_over_all(tmp_path):
    _, several = cards(tmp_path / "several", also=["macro_f1"])
    _, [one] = cards(tmp_path / "one", seeds=(0,), also=["macro_f1"])
    assert ModelCard.load(one).data.to_dict()["metrics"] == ["accuracy", "f1"]
    assert all(ModelCard.load(path).data.to_dict()["metrics"] == ["accuracy"] for path in several)


def test_a_card_stands_beside_the_artifact_and_not_in_it(tmp_path):
    folder, paths = cards(tmp_path)
    assert all((path.parent / ARTIFACT).is_dir() for path in paths)
    assert not list(folder.path.rglob(f"{ARTIFACT}/README.md"))


def test_an_artifact_that_was_dropped_has_no_card(tmp_path):
    folder, _ = cards(tmp_path)
    for artifact in folder.path.glob("trials/lora/*/artifact"):
        (artifact / "adapter_config.json").unlink()
        artifact.rmdir()
    assert write_cards(folder, analyse(folder, None)) == []


def test_what_is_not_known_is_left_out(tmp_path):
    model = ModelRef("models/own", "/somewhere/models/own")
    _, paths = cards(tmp_path, model=ModelRef("../own folder", "/somewhere/own"), adapter=False)
    data = ModelCard.load(paths[0]).data.to_dict()
    assert {"base_model", "license"}.isdisjoint(data)
    assert data["library_name"] == "transformers"
    assert "licence unknown" in paths[0].read_text()
    assert model.licence is None


@pytest.mark.parametrize("text", [*HOSTILE.values(), "---\nlicense: mit\n---", "a: b\n- c", "no"])
def test_no_text_breaks_a_card(tmp_path, text):
    asked = text if text.strip() else "empty"
    _, paths = cards(
        tmp_path, model=ModelRef("o/m", "/x", licence=asked), seeds=(0,),
        params={"note": text}, instruction=asked,
    )  # fmt: skip
    read = ModelCard.load(paths[0], ignore_metadata_errors=False)
    assert read.data.to_dict()["license"] == asked.lower()
    assert set(read.data.to_dict()) == {
        "base_model", "library_name", "license", "metrics", "model-index", "pipeline_tag", "tags",
    }  # fmt: skip
    body = read.text.splitlines()
    assert len([line for line in body if line.startswith("#")]) == 4
    assert all(line.count("`") % 2 == 0 for line in body)
