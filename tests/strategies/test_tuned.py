"""Every way of tuning learns, ships what it learnt, and answers from that alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError
from small_world import LABELS, context, rows
from tiny_models import write_model

from harness import registry
from harness.lm import open_weights, prompt_tokens
from harness.types import Example, Query, Split, TaskInfo

QUICK = {"epochs": 12, "patience": 99}
TUNED = [
    ("lora", {"rank": 2}),
    ("lora", {"rank": 2, "rank_stabilised": True}),
    ("lora", {"rank": 2, "decomposed": True}),
    ("rslora", {"rank": 2}),
    ("dora", {"rank": 2}),
    ("vera", {"rank": 8, "learning_rate": 0.1}),
    ("full_finetune", {"learning_rate": 3e-3}),
    ("prompt_tuning", {"tokens": 3, "learning_rate": 0.1}),
    ("prefix_tuning", {"tokens": 3, "learning_rate": 0.1}),
    ("ia3", {"learning_rate": 0.05}),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


@pytest.mark.parametrize(("name", "given"), TUNED)
def test_it_learns_and_answers_from_its_artifact(name, given, model, tmp_path):
    kind = registry.find(name)
    params = kind.Params(**QUICK | given)
    logged, notes = [], []
    first = kind(params, context(model, logged=logged, notes=notes))
    first.fit(rows("train"), rows("validation"), tmp_path)
    losses = [row["train_loss"] for row in logged]
    assert min(losses[1:]) < losses[0]
    assert {kind for kind, _ in notes} >= {"training"}
    assert "engine" not in {kind for kind, _ in notes}
    assert any(tmp_path.iterdir())

    served = kind(params, context(model))
    served.load(tmp_path)
    queries = rows("train").queries
    together = served.predict(queries)
    assert {prediction.text for prediction in together} <= set(LABELS)
    backwards = served.predict(queries[::-1])[::-1]
    halves = [*served.predict(queries[:2]), *served.predict(queries[2:])]
    alone = [served.predict([query])[0] for query in queries]
    for one, *others in zip(together, backwards, halves, alone, strict=True):
        for other in others:
            assert one.text == other.text
            assert one.label_logprobs == pytest.approx(other.label_logprobs, abs=1e-4)
    untuned = registry.find("zero_shot")
    fresh = untuned(untuned.Params(), context(model))
    fresh.load(tmp_path)
    assert fresh.predict(queries)[0].label_logprobs != pytest.approx(
        together[0].label_logprobs, abs=1e-3
    )


def test_a_prefix_that_would_be_lost_is_refused_with_the_task_file(tmp_path):
    prefix = registry.find("prefix_tuning")
    with pytest.raises(ValidationError, match="checkpointing"):
        registry.resolved_params(prefix, {"checkpointing": True}, tmp_path)
    assert registry.resolved_params(prefix, {"checkpointing": False}, tmp_path)


@pytest.mark.parametrize(
    ("name", "given", "written"),
    [
        ("lora", {"rank_stabilised": True, "decomposed": True}, (True, True)),
        ("lora", {}, (False, False)),
        ("rslora", {}, (True, False)),
        ("dora", {}, (False, True)),
    ],
)
def test_variants_of_lora_are_what_peft_calls_so(name, given, written, model, tmp_path):
    kind = registry.find(name)
    params = kind.Params(**{"rank": 2, "epochs": 1} | given)
    kind(params, context(model)).fit(rows("train"), rows("validation"), tmp_path)
    (config,) = tmp_path.rglob("adapter_config.json")
    found = json.loads(config.read_text())
    assert (found["use_rslora"], found["use_dora"]) == written


@pytest.mark.parametrize(("name", "flag"), [("dora", "decomposed"), ("rslora", "rank_stabilised")])
def test_an_arm_cannot_be_set_to_be_another_method(name, flag, tmp_path):
    with pytest.raises(ValidationError, match=flag):
        registry.resolved_params(registry.find(name), {flag: False}, tmp_path)


@pytest.mark.parametrize("objective", ["label_softmax", "label_text", "head"])
def test_rows_leave_room_for_the_longest_label_that_is_scored_behind_them(
    objective, model, tmp_path
):
    labels = {"sky": "", "the wide and deep blue sea": ""}
    notes = []
    world = replace(
        context(model, notes=notes), task=TaskInfo("tiny", "Where is it?", "choice", labels, 6)
    )
    lm = open_weights(world)
    most = lm.context_tokens - len(prompt_tokens(lm, "")) - lm.count_answer_tokens("sky")
    narrow = Example(Query("narrow", "x" * most), ("sky",))
    learnt, held_out = (
        Split(name, (narrow, *[replace(row, targets=(list(labels)[n % 2],)) for n, row in some]))
        for name in ("train", "validation")
        for some in [list(enumerate(rows(name)))]
    )
    kind = registry.find("lora")
    params = kind.Params(rank=2, epochs=1, objective=objective)
    kind(params, world).fit(learnt, held_out, tmp_path)
    left_out = [text for _, text in notes if "were left out" in text]
    assert len(left_out) == (0 if objective == "head" else 2)
    assert all(text.startswith("1 of 7 ") for text in left_out)
