"""The weight of meaning: kept unless another finds more, by more than a standard error."""

from __future__ import annotations

import numpy as np
import pytest
from letters import Letters

from harness.retrieval import RetrievalParams, Retriever, choose_meaning_weight
from harness.retrieval import retriever as retriever_module
from harness.retrieval.fusion_weight import best_by_one_standard_error
from harness.types import Document, Example, Query

# Letters, the embedder here, cannot tell anagrams; words can.
DOCUMENTS = [Document("right", "", "listen"), Document("wrong", "", "silent tinsel enlist listen")]
ROWS = [Example(Query(f"q{n}", "a silent tinsel"), ("silent",)) for n in range(8)]
EVIDENCE = {row.query.id: ("right",) for row in ROWS}


@pytest.fixture(autouse=True)
def letters(monkeypatch):
    monkeypatch.setattr(retriever_module, "Embedder", Letters)


def build(**params):
    return Retriever.build(
        DOCUMENTS, RetrievalParams(**params), "cpu", lambda *_: None, lambda **_: None
    )


@pytest.mark.parametrize(
    ("first", "other", "kept"),
    [
        ([1, 0, 0, 1], [1, 1, 1, 1], "other"),  # .5 ahead; SE .29
        ([1, 0, 1, 1], [1, 1, 1, 1], "first"),  # .25 ahead; SE .25
        ([1, 0, 1, 1], [0, 1, 1, 1], "first"),
        ([1, 1], [1, 1], "first"),
        ([0], [1], "first"),  # one row has no standard error
    ],
)
def test_a_lead_within_a_standard_error_changes_nothing(first, other, kept):
    found = {0.5: np.array(first, float), 0.7: np.array(other, float)}
    assert best_by_one_standard_error(found) == {"first": 0.5, "other": 0.7}[kept]


def test_the_weight_that_finds_most_is_chosen_said_and_saved(tmp_path):
    way = {"meaning_weight": [0.0, 1.0]}
    retriever, notes = build(**way), []
    before = retriever.search([ROWS[0].query], 1)[0][0].passage.document_id
    choose_meaning_weight(retriever, ROWS, EVIDENCE, [1], lambda *note: notes.append(note))
    after = retriever.search([ROWS[0].query], 1)[0][0].passage.document_id
    assert (before, after, retriever.meaning_weight) == ("wrong", "right", 1.0)
    assert notes == [
        (
            "chosen",
            "meaning_weight = 1 by recall at 1 of 8 labelled rows (0: 0.000, 1: 1.000)",
        )
    ]
    retriever.save(tmp_path / "index")
    loaded = Retriever.load(tmp_path / "index", RetrievalParams(**way), "cpu")
    assert loaded.search([ROWS[0].query], 2) == retriever.search([ROWS[0].query], 2)


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({"meaning_weight": [0.3]}, ROWS),
        ({"meaning_weight": [0.3, 1.0]}, []),
        ({"meaning_weight": [0.3, 1.0]}, [Example(Query("q", "a"), ("in no document",))]),
    ],
)
def test_without_a_choice_or_anything_to_choose_on_the_first_stays(params, rows):
    retriever = build(**params)
    choose_meaning_weight(retriever, rows, {}, [1, 3], lambda *_: None)
    assert retriever.meaning_weight == 0.3


@pytest.mark.parametrize("way", [{"hybrid": False}, {"fusion": "ranks"}])
def test_weights_without_anything_to_weigh_are_refused(way):
    with pytest.raises(ValueError, match=r"meaning_weight .* has no effect with"):
        RetrievalParams(**way, meaning_weight=[0.3, 0.7])


def test_the_reranker_has_no_say_in_the_weight():
    retriever = build(meaning_weight=[0.0, 1.0])

    class Never:
        reads = 30

        def scores(self, query, texts):
            raise AssertionError("it would read thirty passages a row")

    retriever.reranker = Never()
    choose_meaning_weight(retriever, ROWS, EVIDENCE, [1], lambda *_: None)
    assert retriever.meaning_weight == 1.0
