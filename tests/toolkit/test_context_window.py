"""Prompts are made to fit a window: whole parts are left out, and the answer has its room."""

from __future__ import annotations

import pytest
from word_model import word_model

from harness.lm.hosted import HostedModel
from harness.lm.inference.routes import ENCODER_DECODER
from harness.toolkit import fitted
from harness.types import ModelRef, TaskInfo

CHOICE = TaskInfo("t", "Which?", "choice", {"yes": "", "not at all": ""})
"""The longest answer is three words and the end of the turn."""
TEXT = TaskInfo("t", "What?", "text", {}, max_new_tokens=6)


def build(parts):
    """Return a prompt of two words, and three for each part."""
    return "a question" + " one two three" * parts


@pytest.mark.parametrize(
    ("window", "facts", "parts"),
    [
        (100, CHOICE, 5),
        (21, CHOICE, 5),
        (20, CHOICE, 4),
        (9, CHOICE, 1),
        (8, CHOICE, 0),
        (14, TEXT, 2),
        (13, TEXT, 1),
        (3, TEXT, 0),  # the question alone does not fit: whoever asks it will be told
        (None, TEXT, 5),
    ],
)
def test_as_many_parts_are_taken_as_fit_beside_the_longest_answer(window, facts, parts):
    assert fitted(word_model(window), facts, build, 5) == (build(parts), parts)


@pytest.mark.parametrize(("window", "parts"), [(17, 5), (16, 4), (5, 1)])
def test_an_encoder_has_its_window_for_the_prompt_alone(window, parts):
    model = word_model(window, ENCODER_DECODER)
    assert fitted(model, CHOICE, build, 5) == (build(parts), parts)


def test_turns_are_counted_together():
    def turns(parts):
        return (*("asked one", "said") * parts, "asked last")

    # As running text: three words for each that was answered, two for the last.
    assert fitted(word_model(12), CHOICE, turns, 4)[1] == 2
    assert fitted(word_model(11), CHOICE, turns, 4)[1] == 1


def test_a_hosted_model_is_sent_all_parts():
    hosted = HostedModel(ModelRef("far", "http://x/v1"), server=None)  # nothing of it is asked
    assert fitted(hosted, TEXT, build, 5) == (build(5), 5)
