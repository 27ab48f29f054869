"""Arms that are shown passages copy their answers where the training targets were copied."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from small_world import DOCUMENTS, context, rows, write_embedder
from tiny_models import write_model

from harness import registry
from harness.types import Example, Query, Split
from harness.wording.word_runs import holds

# Models in memory: what they are held to shows in nothing but their answers.
pytestmark = pytest.mark.torch
TRAIN = Split(
    "train",
    tuple(
        Example(Query(f"r{n}", f"What about a {word}?"), (f"A {word} {does}",))
        for n, (word, does) in enumerate(
            [("cloud", "floats"), ("bird", "flies"), ("wave", "breaks"), ("fish", "swims")]
        )
    ),
)
ASKED = [Query("q1", "What about a star?"), Query("q2", "What about a ship?")]
ARMS = [
    ("rag", {"top_k": [1], "shots": 2}),
    ("rag", {"top_k": [1, 2], "shots": 2, "select": "random", "template": "turns"}),
    ("rag", {"top_k": [2], "shots": 1, "reranker": "lm", "template": "one_turn"}),
    ("rag_lora", {"top_k": 2, "rank": 2, "epochs": 1, "evaluations_per_epoch": 1}),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return write_embedder(tmp_path_factory.mktemp("tiny"))


def answers(world, name, params, folder, validation=TRAIN[:2]):
    """What a fresh instance answers from the artifact of another."""
    strategy = registry.find(name)
    params = registry.resolved_params(strategy, params, folder)
    artifact = folder / "artifact"
    artifact.mkdir()
    strategy(params, world).fit(TRAIN, Split("validation", tuple(validation)), artifact)
    served = strategy(params, replace(world, evidence={}))
    served.load(artifact)
    assert ("extract" in served.equivalents()) is not served.copied
    return served.predict(ASKED)


@pytest.mark.parametrize(("name", "params"), ARMS)
def test_answers_are_copied_from_what_is_cited(name, params, model, embedder, tmp_path):
    notes = []
    world = context(model, "text", notes=notes)
    world = replace(world, task=replace(world.task, max_new_tokens=60))  # none is cut
    found = answers(world, name, params | {"embedder": embedder}, tmp_path)
    assert any("copied from the passages: 100% of 4 targets" in text for _, text in notes)
    for answer in found:
        texts = [f"{d.title}\n{d.text}" for d in DOCUMENTS if d.id in answer.sources]
        assert any(holds(text, answer.text) for text in texts)


@pytest.mark.parametrize(("name", "params"), ARMS[:1] + ARMS[3:])
def test_answers_are_free_where_that_is_asked_for(name, params, model, embedder, tmp_path):
    params = params | {"embedder": embedder, "extract": "off"}
    found = answers(context(model, "text"), name, params, tmp_path)
    assert not all(holds(f"{d.title}\n{d.text}", a.text) for a in found for d in DOCUMENTS)
    assert (
        json.loads(
            next(tmp_path.rglob("p*s.json" if name == "rag_lora" else "prompt.json")).read_text()
        )["copied"]
        is False
    )


@pytest.mark.parametrize("name", ["rag", "rag_lora"])
def test_without_validation_rows_or_with_one_passage_they_answer(name, model, embedder, tmp_path):
    world = context(model, "text", documents=DOCUMENTS[:1])
    params = next(given for arm, given in ARMS if arm == name) | {"embedder": embedder}
    assert len(answers(world, name, params, tmp_path, validation=())) == 2


def test_the_gold_passage_is_trained_on_where_the_search_misses_it(model, embedder, tmp_path):
    world = context(model, "text")
    world = replace(world, evidence={row.query.id: ("sea",) for row in TRAIN})
    strategy = registry.find("rag_lora")
    params = {"embedder": embedder, "top_k": 1, "gold_share": 1.0, "hybrid": False}
    arm = strategy(registry.resolved_params(strategy, params, tmp_path), world)
    gold = "Sea\nA wave breaks. A fish swims. A ship sails to port."
    arm.copied = False

    class Sky:
        def search(self, queries, k):
            from harness.retrieval import Hit, Passage

            return [[Hit(Passage("sky", "Sky", "", "A cloud floats."), 1.0)] for _ in queries]

    class Roomy:
        context_tokens = None

    arm.retriever, arm.model = Sky(), Roomy()
    prompts = [prompt for prompt, _ in arm._pairs(TRAIN, [(gold, "x"), None, (gold, "x"), None])]
    assert [gold in prompt for prompt in prompts] == [True, False, True, False]
    assert ["A cloud floats." in prompt for prompt in prompts] == [False, True, False, True]


def test_rows_to_choose_on_are_not_looked_at_where_they_are_not_paid_for(model, embedder, tmp_path):
    notes = []
    params = {"embedder": embedder, "top_k": [1], "shots": 0}
    answers(context(model, "text", notes=notes), "rag", params, tmp_path)
    assert not [text for kind, text in notes if kind in ("chosen", "extract")]


@pytest.mark.parametrize("name", ["rag", "rag_lora"])
def test_labels_are_chosen_from_passages_as_before(name, model, embedder, tmp_path):
    strategy = registry.find(name)
    params = next(given for arm, given in ARMS if arm == name) | {"embedder": embedder}
    served = strategy(registry.resolved_params(strategy, params, tmp_path), context(model))
    (tmp_path / "artifact").mkdir()
    served.fit(rows("train"), rows("validation"), tmp_path / "artifact")
    served.load(tmp_path / "artifact")
    assert served.equivalents()["extract"] == ["off"]
    assert {answer.text for answer in served.predict(ASKED)} <= {"sky", "sea"}
