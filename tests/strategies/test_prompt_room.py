"""Demonstrations and passages that do not fit a model are left out, and the record says so."""

from __future__ import annotations

import pytest
from small_world import context
from word_model import word_model

from harness import registry
from harness.lm.chat import turns_of
from harness.retrieval import Hit, Passage
from harness.toolkit import ShownRows
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter, PromptParams
from harness.toolkit.prompts import Shown
from harness.types import Example, Prediction, Query

ROWS = [Example(Query(f"r{n}", f"row{n}"), ("sea",)) for n in range(3)]
SHORT, LONG = Query("1", "short"), Query("2", "long " * 12)


class Found:
    """A retriever that finds the same three passages for every query."""

    def search(self, queries, k):
        hits = [Hit(Passage(f"d{n}", "", "", f"page{n}"), 1.0) for n in range(3)]
        return [hits for _ in queries]


@pytest.fixture
def prompts(monkeypatch):
    asked = []

    def answer(model, prompts, facts, spans=()):
        asked.extend(prompts)
        return [Prediction("sea") for _ in prompts]

    monkeypatch.setattr("harness.toolkit.answer", answer)
    monkeypatch.setattr("harness.toolkit.prompter.answer", answer)
    return asked


def ready(name, window, params=None, **state):
    """Return a strategy as if it had been fitted and loaded, and its notes."""
    notes = []
    strategy = registry.find(name)
    params = strategy.Params(**params or {})
    made = strategy(params, context(notes=notes))
    model = word_model(window)
    vars(made).update(state, model=model)
    if isinstance(params, PromptParams):
        made.prompter = Prompter.of(made.context, params, model)
    return made, notes


def words(prompt):
    return " ".join(turns_of(prompt)).split()


@pytest.mark.parametrize("template", ["turns", "one_turn", "plain"])
def test_few_shot_leaves_out_the_first_demonstrations(prompts, template):
    params = {"select": "random", "template": template}
    roomy, notes = ready("few_shot", 1000, params, shots=3, drawn=ROWS)
    roomy.predict([SHORT, LONG])
    assert notes == []
    window = len(words(prompts[0])) + 2  # two for the answer: a label and the end of its turn
    prompts.clear()
    tight, notes = ready("few_shot", window, params, shots=3, drawn=ROWS)
    tight.predict([SHORT, LONG])
    shown = [[row.query.text for row in ROWS if row.query.text in words(p)] for p in prompts]
    assert shown == [["row0", "row1", "row2"], []]
    assert set(notes) == {("shots", "not all 3 fit the model with every input")}


@pytest.mark.parametrize(
    ("less", "rows", "pages"),
    [
        (0, ["row0", "row1"], ["d0", "d1", "d2"]),
        (1, ["row1"], ["d0", "d1", "d2"]),
        (5, [], ["d0", "d1", "d2"]),
        (9, [], ["d0", "d1"]),
    ],
)
def test_rag_leaves_out_demonstrations_first_and_cites_what_it_shows(prompts, less, rows, pages):
    shown = ShownRows(tuple(Shown(row.query, (), "sea") for row in ROWS[:2]))
    state = {"shown": shown, "top_k": 3, "retriever": Found(), "copied": False}
    turns = {"template": "turns"}
    ready("rag", 1000, turns, **state)[0].predict([SHORT])
    window = len(words(prompts.pop())) + 2 - less
    rag, notes = ready("rag", window, turns, **state)
    (answer,) = rag.predict([SHORT])
    (prompt,) = prompts
    assert answer.sources == tuple(pages)
    assert [row.query.text for row in ROWS if row.query.text in words(prompt)] == rows
    assert [f"d{n}" for n in range(3) if f"page{n}" in words(prompt)] == pages
    said = "some prompts have fewer passages or demonstrations: all do not fit the model's context"
    assert notes == ([("prompt", said)] if less else [])


def test_rag_lora_cites_only_the_passages_that_fit(prompts):
    state = {"retriever": Found(), "copied": False, "calibration": Calibration()}
    roomy, notes = ready("rag_lora", 1000, **state)
    roomy.predict([SHORT])
    window = len(words(prompts.pop())) + 2 - 1
    tight, notes = ready("rag_lora", window, **state)
    (answer,) = tight.predict([SHORT])
    assert answer.sources == ("d0", "d1")
    said = "some prompts have fewer passages: all do not fit the model's context"
    assert notes == [("prompt", said)]
