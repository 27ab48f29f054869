"""Inputs that are garbled, hidden, mixed, empty of words or enormous."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.task.audit.strange_texts import is_garbled, is_hidden, is_mixed, strange_texts

WORDS = ("café", "Não é", "“quoted”", "naïve — yes", "£10", "日本語", "Größe", "Привет")


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("code", ["cp1252", "latin-1"])
def test_utf8_read_as_another_code_is_garbled_and_the_right_text_is_not(text, code):
    assert not is_garbled(text)
    try:
        wrong = text.encode().decode(code)
    except UnicodeDecodeError:
        wrong = "Ã©"  # windows-1252 leaves five bytes undefined
    assert is_garbled(wrong)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=40))
def test_letters_of_latin_languages_alone_are_not_garbled(text):
    assert not is_garbled("".join(one for one in text if one.isalpha() and ord(one) < 0x80))


def test_what_nobody_sees_and_lookalikes():
    assert is_hidden("pass\u200bword")
    assert is_hidden("\x00")
    assert not is_hidden("a\tb\nc \U0001f468\u200d\U0001f469\u200d\U0001f467")
    assert is_mixed("p\u0430ypal")
    assert not is_mixed("paypal и Привет")


def test_each_kind_names_its_rows():
    texts = ["fine", "cafÃ©", "...", "word " * 1000]
    found = {one.kind: one for one in strange_texts("test", ["a", "b", "c", "d"], texts)}
    assert {kind: one.rows for kind, one in found.items()} == {
        "garbled characters": ("b",),
        "inputs without words": ("c",),
        "extreme inputs": ("d",),
    }
    assert found["garbled characters"].severity == "warning"


def test_of_no_inputs_nothing_is_said():
    assert list(strange_texts("validation", [], [])) == []
