"""The benchmark `retrieval`: its counts and draws. No timing, no model."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import public_sets, retrieval, squad
from benchmarks.sides import Side
from harness.errors import UserError


def test_recall_counts_different_documents():
    found = [["a", "a", "b"], ["b", "c", "c", "d"], []]
    right = ["b", "d", "x"]
    assert [squad.document_recall(found, right, k) for k in (1, 2, 3)] == [0, 1 / 3, 2 / 3]


def test_missing_data_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(public_sets, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "squad"))):
        squad.search(1, 1)


def test_vectors_are_drawn_the_same_every_time_with_length_one_and_near_others(monkeypatch):
    monkeypatch.setattr(retrieval, "ROWS_AT_ONCE", 64)
    vectors, queries = retrieval.drawn(300, 20)
    again, _ = retrieval.drawn(300, 20)
    assert (vectors.shape, queries.shape) == ((300, 384), (20, 384))
    assert np.array_equal(vectors, again)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    nearest = np.sort(vectors @ vectors.T, axis=1)[:, -2]
    assert nearest.mean() > 0.4


@pytest.mark.parametrize(("kind", "least"), [("exact", 1.0), ("hnsw", 0.9), ("ivf", 0.5)])
def test_an_index_is_measured_against_exact_search(kind, least):
    measurement, found = retrieval.indexed(n=3000, kind=kind)
    assert found["recall"] >= least
    assert found["vectors_bytes"] == 3000 * 384 * 4
    assert found["queries_per_s"] > 0
    assert measurement["wall_s"] > found["build_s"] > 0


class FakeSides:
    device, quick = "cpu", True

    def __init__(self):
        self.asked = []

    def say(self, text):
        pass

    def run(self, function, **arguments):
        self.asked.append(arguments)
        if function is retrieval.ours:
            ways = ("words", "meaning", "hybrid by scores", "hybrid by ranks")
            values = {"document_recall": {way: {"at_1": 0.8, "at_5": 0.9} for way in ways}}
            return Side(1.0, 300, None, 2.0, values)
        values = {"recall": 0.95, "queries_per_s": 9.0}
        values |= {"grown_bytes": 5, "index_bytes": 4, "predicted_bytes": 4}
        return Side(1.0, 200, None, 2.0, values | arguments)


def test_a_quick_run_takes_less_of_everything_and_the_index_that_a_retriever_would():
    sides = FakeSides()
    found = retrieval.run(sides)
    assert [(a.get("n"), a.get("kind")) for a in sides.asked] == [
        (None, None),
        (100_000, "exact"),
        (20_000, "hnsw"),
        (20_000, "ivf"),
    ]
    assert found["ours_peak_rss_bytes"] == 300
    assert [index["peak_rss_bytes"] for index in found["indexes"]] == [200] * 3
    json.dumps(found)


@pytest.mark.torch
def test_the_language_model_is_not_fetched_for_it(monkeypatch):
    monkeypatch.setattr("benchmarks.models.fetch", lambda: pytest.fail("fetched"))
    monkeypatch.setattr(command, "Sides", lambda *_: FakeSides())
    assert command._run("retrieval", retrieval, quick=True, only=())["model"] == retrieval.MODEL
