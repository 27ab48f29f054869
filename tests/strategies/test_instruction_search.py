"""Wordings of the instruction are compared on validation rows, and the best one is kept."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from small_world import WORDS, context, rows

from harness.types import Prediction
from strategies.instruction_search import InstructionSearch

OWN, GIVEN, REWORDED = "Where is it?", "Above or below?", "Up or down?"
PLACE = {word: label for label, words in WORDS.items() for word in words}


class Listener:
    """A model that understands one wording alone, and puts every instruction in the same words."""

    def __init__(self, understands):
        self.understands, self.asked = understands, []

    def __call__(self, model, prompts, facts, spans=()):
        self.asked += map(str, prompts)
        if facts.answer_kind == "text":
            return [Prediction(REWORDED) for _ in prompts]
        return [Prediction(self._answer(str(prompt))) for prompt in prompts]

    def _answer(self, prompt):
        (word,) = (word for word in PLACE if word in prompt)
        return PLACE[word] if self.understands in prompt else "sky"


@pytest.mark.parametrize(
    ("understands", "kept"),
    [(GIVEN, GIVEN), (REWORDED, REWORDED), ("nothing", OWN)],  # of equals the task's own
)
def test_the_best_wording_is_kept_be_it_yours_or_the_models(
    understands, kept, tmp_path, monkeypatch
):
    listener, notes = Listener(understands), []
    model = SimpleNamespace(context_tokens=None)
    monkeypatch.setattr("harness.lm.open_model", lambda context: model)
    monkeypatch.setattr("harness.toolkit.answer", listener)
    monkeypatch.setattr("harness.toolkit.prompter.answer", listener)
    given = {"template": "turns", "calibrate": "off"}
    params = InstructionSearch.Params(instructions=(GIVEN,), rephrased=2, **given)
    made = InstructionSearch(params, context(notes=notes))
    made.fit(rows("train"), rows("validation"), tmp_path)
    assert json.loads((tmp_path / "instruction.json").read_text()) == kept
    ((kind, said),) = notes
    assert kind == "chosen"
    assert kept in said
    made.load(tmp_path)
    listener.asked.clear()
    answers = made.predict(rows("test").queries)
    assert all(kept in prompt for prompt in listener.asked)
    pairs = zip(answers, rows("test").queries, strict=True)
    right = [answer.text == PLACE[row.text] for answer, row in pairs]
    assert all(right) == (understands != "nothing")
