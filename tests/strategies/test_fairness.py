"""No arm is quietly weaker or stronger than it should be, and no row costs an arm its place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from small_world import DOCUMENTS, context, fit_and_ship, rows, write_embedder
from tiny_models import write_model

from harness import lm, registry, toolkit
from harness.errors import ModelError, StrategyError
from harness.types import Example, Query, Split, TaskInfo


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return write_embedder(tmp_path_factory.mktemp("tiny"))


def fitted(name, params, world, folder, train, validation=None):
    strategy = registry.find(name)
    made = strategy(registry.resolved_params(strategy, params, folder), world)
    made.fit(train, validation or rows("validation"), folder)
    return made


def row(row_id, text, target, *groups):
    return Example(Query(row_id, text, groups=groups), (target,))


def test_texts_that_are_not_alike_are_no_labels_to_take_turns(tmp_path, model):
    train = Split("train", tuple(row(f"r{n}", f"q{n}", f"answer {n % 20}") for n in range(60)))
    drawn = {}
    for select in ("balanced", "random"):
        folder = tmp_path / select
        folder.mkdir()
        params = {"shots": 8, "select": select}
        fitted("few_shot", params, context(model, "text"), folder, train)
        kept = json.loads((folder / "demonstrations.json").read_text())["drawn"]
        drawn[select] = [shown["query"]["id"] for shown in kept]
    assert drawn["balanced"] == drawn["random"]


def test_the_nearest_row_of_a_group_is_not_given_away(tmp_path, embedder):
    secret = row("r1", "cloud", "the salary is 5,000", "people")
    train = Split("train", (secret, row("r2", "ship", "it sails")))
    params = {"embedder": embedder}
    fitted("nearest", params, context(kind="text"), tmp_path, train)
    assert "salary" not in (tmp_path / "rows" / "rows.jsonl").read_text()
    (tmp_path / "none").mkdir()
    with pytest.raises(StrategyError, match="no training row that every asker may be shown"):
        fitted(
            "nearest", params, context(kind="text"), tmp_path / "none", Split("train", (secret,))
        )


def test_a_row_is_told_from_a_later_question_with_its_number(tmp_path, embedder):
    served = fit_and_ship("nearest", {"embedder": embedder}, context(kind="text"), tmp_path)
    same, other = Query("train-cloud", "cloud"), Query("train-cloud", "cloud cloud")
    found = served.rows.search([same, other], 6)
    assert "train-cloud" not in {near.query.id for near, _ in found[0]}
    assert "train-cloud" in {near.query.id for near, _ in found[1]}


def test_a_validation_row_that_fails_does_not_end_a_cascade(tmp_path, monkeypatch):
    tfidf = registry.find("tfidf")
    answer = tfidf.predict

    def picky(self, queries):
        if any(query.text == "cloud" for query in queries):
            raise ValueError("too long")
        return answer(self, queries)

    monkeypatch.setattr(tfidf, "predict", picky)
    dear = {"use": "tfidf", "inverse_regularisation": [1.0]}
    fitted("cascade", {"cheap": "tfidf", "dear": dear}, context(), tmp_path, rows("train"))
    assert (tmp_path / "threshold.json").is_file()


def test_rows_longer_than_the_context_are_left_out_of_tuning_and_counted(tmp_path, model):
    notes = []
    long = row("long", "cloud " * 2000, "sky")
    train = Split("train", (*rows("train"), long))
    params = {"rank": 2, "epochs": 1, "evaluations_per_epoch": 1}
    fitted("lora", params, context(model, notes=notes), tmp_path, train, Split("v", (long,)))
    said = [text for kind, text in notes if kind == "training"]
    assert any(text.startswith("1 of 7 training rows were left out") for text in said)
    assert any(text.startswith("1 of 1 validation rows were left out") for text in said)


def test_training_rows_that_are_all_too_long_are_told_as_such(tmp_path, model):
    long = Split("train", (row("long", "cloud " * 2000, "sky"),))
    params = {"rank": 2, "epochs": 1, "evaluations_per_epoch": 1}
    with pytest.raises(ModelError, match=r"all 1 training rows are longer than .* → shorten"):
        fitted("lora", params, context(model), tmp_path, long, rows("validation"))


def test_a_text_longer_than_the_context_is_read_in_pieces(tmp_path, model):
    world = context(model)
    loaded = lm.open_weights(world)
    loaded_room = loaded.context_tokens
    long = replace(DOCUMENTS[0], text="x" * (3 * loaded_room))
    params = {"rank": 2, "epochs": 1, "evaluations_per_epoch": 1}
    fitted("corpus_tuning", params, replace(world, documents=(long,)), tmp_path, rows("train"))


def test_a_model_without_a_chat_template_ends_where_the_next_input_begins(tmp_path, monkeypatch):
    facts = TaskInfo("t", "What?", "text", {}, max_new_tokens=8, stop=("END",))
    stops = {}
    for chat in (True, False):
        ref = write_model(tmp_path / str(chat), "llama-tied", chat=chat)
        loaded = lm.load(ref, "cpu", "float32")
        monkeypatch.setattr(
            loaded,
            "generate",
            lambda prompts, settings, chat=chat: stops.update({chat: settings.stop}) or [],
        )
        toolkit.answer(loaded, ["Input: x\nAnswer:"], facts)
    assert stops == {True: ("END",), False: ("END", "\nInput:", "\nPassages:")}
