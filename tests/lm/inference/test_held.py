"""Rows that are held to spans, beside rows that are free, on every route."""

from __future__ import annotations

import pytest
from tiny_models import write_model

from harness.lm import Generation, load
from harness.lm.model import Spans
from harness.wording.word_runs import holds

# A model in memory: whether masks reach the right rows shows nowhere else.
pytestmark = pytest.mark.torch
PROMPTS = ("What floats?", "What swims in the sea?", "Who is up in the sky?", "Up?")
TEXT = "a cloud floats in the sky\nand a fish swims in the sea"


@pytest.mark.parametrize("name", ["llama-tied", "bloom", "t5"])
def test_only_the_rows_that_are_held_copy(tmp_path, name):
    model = load(write_model(tmp_path, name), "cpu", "float32")
    free = model.generate(PROMPTS, Generation(6))
    spans = (Spans((TEXT,)), None, Spans((), ("no answer",)), None)
    held = model.generate(PROMPTS, Generation(6, spans=spans))
    assert [held[1].text, held[3].text] == [free[1].text, free[3].text]
    assert holds(TEXT, held[0].text)
    assert held[2].text in "no answer"
    alone = model.generate(PROMPTS[:1], Generation(6, spans=spans[:1]))
    assert alone[0].text == held[0].text
