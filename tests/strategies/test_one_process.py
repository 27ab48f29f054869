"""Every strategy answers from what it shipped, alone as in company, and leaves it as it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from small_world import LABELS, context, fit_and_ship, rows, write_embedder
from tiny_models import write_model

from harness.types import Query

QUICK = {"epochs": 1, "evaluations_per_epoch": 1}
NEEDS_EMBEDDER = {"nearest", "retrieve", "rag", "rag_lora", "encoder", "classic", "match"}
CASES = [
    ("majority", {}, "choice"),
    ("tfidf", {}, "choice"),
    ("zero_shot", {}, "choice"),
    ("zero_shot", {"template": "one_turn", "calibrate": "contextual"}, "choice"),
    ("zero_shot", {}, "text"),
    ("few_shot", {"shots": 2, "select": "balanced", "template": "turns"}, "choice"),
    ("few_shot", {"shots": 2, "select": "nearest", "calibrate": "vector"}, "choice"),
    ("few_shot", {"shots": [1, 3], "select": "random"}, "choice"),
    ("few_shot", {"shots": 2}, "choice"),
    ("few_shot", {"shots": 2, "labels": "descriptions", "template": "bare"}, "choice"),
    ("few_shot", {"shots": 2}, "text"),
    ("nearest", {}, "choice"),
    ("nearest", {}, "text"),
    ("retrieve", {}, "text"),
    ("rag", {"top_k": [1, 2], "shots": 1}, "choice"),
    ("rag", {"top_k": [1], "shots": 0, "hybrid": False}, "text"),
    ("qlora", {"rank": 2, **QUICK}, "choice"),
    ("rag_lora", {"top_k": 1, "rank": 2, **QUICK}, "choice"),
    ("corpus_tuning", {"rank": 2, **QUICK}, "choice"),
    ("instruction_search", {"instructions": ["Above or below?"], "rephrased": 1}, "choice"),
    ("encoder", {}, "choice"),
    ("encoder", {"trains": "all", "epochs": 2}, "choice"),
    ("encoder", {"trains": "contrastive", "most_steps": 5}, "choice"),
    ("classic", {}, "choice"),
    ("classic", {"features": ["vote"], "folds": 2}, "choice"),
    ("match", {"centre": True}, "choice"),
    ("lm_probe", {}, "choice"),
    ("cascade", {"cheap": "tfidf", "dear": "zero_shot"}, "choice"),
    ("cascade", {"cheap": "zero_shot", "dear": "few_shot"}, "text"),
    ("prompt_search", {"reflector": "large", "calls": 12, "reflections": 1}, "choice"),
    ("distil", {"teacher": "majority", "student": "tfidf", "unlabelled": "new.jsonl"}, "choice"),
]
"""Strategy, parameters, kind of answer; those that tune the model alone stand in test_tuned."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))  # weights of 4 bits are kept there


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return write_embedder(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize(("name", "params", "kind"), CASES)
def test_it_answers_from_what_it_shipped(name, params, kind, model, embedder, tmp_path):
    nearest = name == "few_shot" and params.get("select", "nearest") == "nearest"
    if name in NEEDS_EMBEDDER or nearest:
        params = params | {"embedder": embedder}
    world = context(model, kind)
    if "reflector" in params:
        pytest.importorskip("gepa", reason="GEPA is not installed (the extra `prompts`)")
        world = replace(world, models={params["reflector"]: model})
    if "unlabelled" in params:
        new = tmp_path / params["unlabelled"]
        new.write_text('{"input": "rain"}')
        world = replace(world, unlabelled={str(new): [Query("1", "rain"), Query("2", "whale")]})
    served = fit_and_ship(name, params, world, tmp_path)
    files = {p: p.read_bytes() for p in (tmp_path / "shipped").rglob("*") if p.is_file()}
    queries = [*rows("test").queries, Query("odd", "äöü 漢字\n\n<b>")]
    together = served.predict(queries)
    backwards = served.predict(queries[::-1])[::-1]
    halves = [*served.predict(queries[:2]), *served.predict(queries[2:])]
    alone = [served.predict([query])[0] for query in queries]
    for one, *others in zip(together, backwards, halves, alone, strict=True):
        if kind == "choice":
            assert one.text in LABELS
        for other in others:
            assert (one.text, one.sources) == (other.text, other.sources)
            assert one.label_logprobs == pytest.approx(other.label_logprobs, abs=1e-4)
    assert list(served.predict([])) == []
    assert {p: p.read_bytes() for p in (tmp_path / "shipped").rglob("*") if p.is_file()} == files


def test_answers_made_elsewhere_are_given_by_id(tmp_path):
    lines = [
        {"id": "test-cloud", "text": "sky", "usd": 0.02, "wall_s": 1.5, "sources": ["sky"]},
        {"id": "test-fish", "text": "sea", "unknown": 1},
    ]
    (tmp_path / "made.jsonl").write_text("\n".join(map(json.dumps, lines)))
    params = {"file": "made.jsonl", "usd_per_1k": 5}
    served = fit_and_ship("predictions", params, context(), tmp_path)
    (tmp_path / "made.jsonl").unlink()
    cloud, fish, star = served.predict(
        [Query("test-cloud", ""), Query("test-fish", ""), Query("test-star", "")]
    )
    assert (cloud.text, cloud.usd, cloud.wall_s, cloud.sources) == ("sky", 0.02, 1.5, ("sky",))
    assert (fish.text, fish.usd) == ("sea", 0.005)
    assert star.error is not None
    assert "test-star" in star.error


def test_rag_says_when_there_are_fewer_rows_to_show_than_asked_for(model, embedder, tmp_path):
    notes = []
    params = {"top_k": [1], "shots": 7, "embedder": embedder}
    fit_and_ship("rag", params, context(model, notes=notes), tmp_path)
    assert ("shots", "only 6 training rows that all may be shown, for 7 shots") in notes
