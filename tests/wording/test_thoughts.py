"""Where a text is inside a thought, and what it says behind it."""

from __future__ import annotations

import pytest

from harness.wording.thoughts import (
    THOUGHT_MARKS,
    behind_thoughts,
    closing,
    cut_at,
    is_thought_token,
    open_thought,
)


@pytest.mark.parametrize("marks", THOUGHT_MARKS)
def test_every_form_opens_closes_and_leaves_the_answer(marks):
    opener, closer = marks
    assert open_thought(f"x{opener} spam") == marks
    assert open_thought(f"{opener} spam {closer} ham") is None
    assert open_thought(f"spam {closer} ham") is None
    assert open_thought(f"{opener} a {closer} b {opener} c") == marks
    assert behind_thoughts(f"{opener} spam {closer} ham") == " ham"
    assert behind_thoughts(f"{opener} spam") == ""
    text = f"{opener}\n"
    assert open_thought(text + closing(text, marks)) is None


def test_a_stop_string_ends_the_answer_and_no_thought():
    assert cut_at("a\nb\n", ["\n"]) == "a"
    assert cut_at("<think>a\nb</think> c\nd", ["\n"]) == "<think>a\nb</think> c"
    assert cut_at("a\nb</think>c\nd", ["\n"]) == "a\nb</think>c"
    assert cut_at("<think>a\nb", ["\n"]) == "<think>a\nb"
    assert cut_at("plain ", []) == "plain"


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("<think>\n", "<think>\n\n</think>\n\n"),
        ("<think>\n\n", "<think>\n\n</think>\n\n"),
        ("<think>", "<think></think>\n\n"),
        (
            "<|channel|>analysis<|message|>",
            "<|channel|>analysis<|message|><|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ],
)
def test_an_open_thought_is_closed_as_its_models_close_it(opened, closed):
    assert opened + closing(opened, open_thought(opened)) == closed


def test_a_mark_of_several_tokens_is_told_by_each():
    told = {"<think>", "[/THINK]", "<|channel|>", "<|message|>", "<channel|>", "<|channel>"}
    assert all(map(is_thought_token, told))
    assert not any(map(is_thought_token, ["<|im_end|>", "<|end|>", "<|start|>", "</s>", "<pad>"]))
