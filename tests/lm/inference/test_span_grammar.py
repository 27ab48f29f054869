"""An answer that is copied is a run of words of a text, or a sentence, and nothing else."""

from __future__ import annotations

import random

import pytest
from grammar_walks import train, walk

from harness.errors import ModelError
from harness.lm.inference import span_grammar
from harness.lm.inference.span_grammar import SpanGrammar
from harness.lm.model import Spans
from harness.wording.word_runs import holds

pytestmark = pytest.mark.torch
TEXTS = (
    'The "old" tower, built in 1889:\n\t330 m\\high',
    "東京タワーは333mの高さ。",
    "naïve café 🙂 [x] {y} a|b (c)?*+ .",
)
NONE = 'no "answer" here'


@pytest.fixture(scope="module", params=[False, True], ids=["byte-level", "byte-fallback"])
def tokenizer(request):
    return train(byte_fallback=request.param)


def grammar(tokenizer, texts, or_exactly=(), stop=()):
    spans = Spans(tuple(texts), tuple(or_exactly))
    return SpanGrammar(tokenizer, len(tokenizer), spans, tokenizer.eos_token_id, stop)


def accepts(written, text):
    """Whether the grammar allows a text, byte by byte, as every tokenizer can write it."""
    from llguidance import LLMatcher, LLTokenizer

    matcher = LLMatcher(LLTokenizer("byte"), written, log_level=0)
    taken = list(text.encode())
    return matcher.try_consume_tokens(taken) == len(taken) and matcher.is_accepting()


@pytest.mark.parametrize("texts", [TEXTS[:1], TEXTS[1:2], TEXTS])
def test_walks_end_in_runs_of_words_or_the_sentence(tokenizer, texts):
    compiled, draw = grammar(tokenizer, texts, [NONE]), random.Random(3)
    found = {walk(compiled, tokenizer, draw).removeprefix(" ") for _ in range(60)}
    assert len(found) > 3
    for answer in found:
        assert answer == answer.strip()
        assert answer == NONE or any(holds(text, answer) for text in texts), answer


def test_known_answers_are_taken_and_others_refused():
    written = span_grammar._grammar(Spans(TEXTS, (NONE,)), ["\n", "\nPassage:"])
    for right in ("built in 1889", " tower,", "330 m\\high", "東京", "333mの高さ", NONE, "old\n"):
        assert accepts(written, right), right
    for wrong in ("", " ", "built ", "buil", "1889: 330", "high naïve", 'no "answer', "  tower"):
        assert not accepts(written, wrong), wrong


def test_a_text_without_words_is_refused_and_one_sentence_is_enough(tokenizer):
    with pytest.raises(ModelError, match=r"no text to copy an answer from → show a passage"):
        grammar(tokenizer, ["", " \n\t"])
    only = grammar(tokenizer, [""], ["nothing"])
    assert walk(only, tokenizer, random.Random(0)).strip() == "nothing"
