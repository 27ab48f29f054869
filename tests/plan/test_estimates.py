"""Every strategy that ships says what it is going to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import registry
from harness.types import Document, Example, Query, RunningText, Split, TaskInfo
from harness.workload import Answering, Computing, Embedding, Estimate, Prospect, Tuning

LABELS = {"a": "first", "b": "second"}
TASK = TaskInfo("t", "Which letter?", "choice", LABELS)


def split(name, n):
    rows = (
        Example(Query(f"{name}{i}", f"text number {i} of {name}"), ("ab"[i % 2],)) for i in range(n)
    )
    return Split(name, tuple(rows))


def part(name, given, prospect):
    strategy = registry.find(name)
    return strategy.estimate(strategy.Params(**given), prospect)


PROSPECT = Prospect(
    task=TASK,
    train=split("train", 20),
    validation=split("validation", 8),
    queries=split("test", 10).queries,
    documents=(
        Document("d", "Letters", " ".join(f"{n} comes before {n + 1}." for n in range(100))),
    ),
    seed=0,
    part=part,
)
NEEDED = {
    "predictions": {"file": "answers.jsonl"},
    "distil": {"teacher": "zero_shot", "unlabelled": "new.jsonl"},
    "prompt_search": {"reflector": "large"},
}
KINDS = {
    "majority": {}, "predictions": {}, "zero_shot": {"serve": {Answering}},
    "few_shot": {"serve": {Answering}}, "nearest": {"fit": {Embedding}, "serve": {Embedding}},
    "lora": {"fit": {Tuning}, "serve": {Answering}}, "rag": {"serve": {Answering, Embedding}},
    "rag_lora": {"fit": {Tuning, Embedding}}, "corpus_tuning": {"fit": {Tuning}},
    "cascade": {"fit": {Tuning}, "serve": {Answering}}, "distil": {"fit": {Answering, Computing}},
    "prompt_search": {"fit": {Answering}, "serve": {Answering}},
}  # fmt: skip


def estimated(name, **given):
    return part(name, NEEDED.get(name, {}) | given, PROSPECT)


def test_there_are_some():
    assert len(registry.names()) >= 22


@pytest.mark.parametrize("name", registry.names())
def test_it_says_what_both_halves_do(name):
    strategy = registry.find(name)
    if strategy.__module__.split(".")[0] != "strategies":
        pytest.skip("a stranger's")
    found = estimated(name)
    assert isinstance(found, Estimate)
    assert found.fit is not None
    assert found.serve is not None
    for half, kinds in KINDS.get(name, {}).items():
        assert kinds <= {type(work) for work in getattr(found, half)}


def test_a_teacher_answers_in_preparation_and_what_it_says_is_learnt():
    asked = [Query(str(n), f"text number {n}") for n in range(30)]
    prospect = replace(PROSPECT, unlabelled={"new.jsonl": asked})
    found = part("distil", NEEDED["distil"], prospect)
    *_, answering, learning = found.fit  # before them its calibration
    assert len(answering.prompts) == 30
    assert learning.wall_s > part("tfidf", {}, PROSPECT).fit[0].wall_s


def test_work_of_a_part_with_its_own_model_says_whose_it_is():
    far = {"provider": "openai", "base_url": "http://x/v1/", "model": "far"}
    [*_, serving] = estimated("cascade", dear={"use": "zero_shot", "model": far}).serve
    assert serving.by == "far at http://x/v1"


def test_settings_that_are_chosen_on_validation_rows_are_work():
    given = {"select": "balanced", "calibrate": "off"}
    once, thrice = (estimated("few_shot", shots=n, **given) for n in (4, [2, 4, 8]))
    assert once.fit == ()
    assert [len(work.prompts) for work in thrice.fit] == [8, 8, 8]
    assert len(thrice.serve[0].prompts[0]) > len(once.serve[0].prompts[0])


def test_calibrating_is_work_and_prompts_are_in_the_models_own_form():
    found = estimated("few_shot", select="balanced", calibration_rows=3)
    [calibrating] = found.fit
    assert len(calibrating.prompts) == 3
    assert len(found.serve[0].prompts[0]) > 1  # turns
    small = replace(PROSPECT, form="plain")
    [serving] = part("few_shot", {"select": "balanced"}, small).serve
    assert isinstance(serving.prompts[0], RunningText)


def test_tuning_is_told_with_its_own_parameters():
    [tuning] = estimated("lora", rank=4, epochs=3, patience=1, checkpointing=True).fit
    assert tuning.adapter.settings["r"] == 4
    assert (tuning.epochs, tuning.patience, tuning.checkpointing) == (3, 1, True)
    assert tuning.training_pairs[0] == ("text number 0 of train", "a")
    [packed] = estimated("qlora").fit
    assert packed.four_bits
    assert estimated("qlora").serve[0].weights == "four_bits"


def test_retrieval_shows_as_many_passages_as_it_may():
    few, many = (estimated("rag", top_k=[k], shots=0).serve[-1].prompts[0] for k in (1, 3))
    assert few.count("[1] ") == many.count("[1] ") == 1
    assert "[3] " in many


def test_prompts_are_the_strategys_own(monkeypatch):
    text = replace(TASK, answer_kind="text", labels={})
    zero_shot = registry.find("zero_shot")
    found = zero_shot.estimate(zero_shot.Params(), replace(PROSPECT, task=text))
    assert found.serve[0].prompts[0].endswith("Input: text number 0 of test\nAnswer:")


@pytest.mark.parametrize(
    ("name", "given", "needed"),
    [
        ("few_shot", {}, {"train"}),
        ("zero_shot", {}, set()),
        ("instruction_search", {}, {"validation"}),
        ("corpus_tuning", {}, {"validation"}),
        ("rag", {"shots": 0}, {"validation"}),
        ("rag", {"shots": 0, "top_k": [3]}, set()),
        ("rag", {}, {"train"}),
    ],
)
def test_whoever_chooses_on_labelled_rows_says_so_since_labels_cost(name, given, needed):
    strategy = registry.find(name)
    assert strategy.needs(strategy.Params(**given)) & {"train", "validation"} == needed
