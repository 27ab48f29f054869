"""How a local model says that an answer ended; tokens are scripted, so nothing is computed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.lm.inference.generation import Written
from harness.lm.local_model import LanguageModel
from harness.lm.model import Generation
from harness.types import ModelRef

SCHEMA = {"type": "object"}


class Letters:
    """A tokenizer whose tokens are characters."""

    chat_template = None
    eos_token_id = 0

    def __call__(self, text, add_special_tokens=True):
        return SimpleNamespace(input_ids=[ord(letter) for letter in text])

    def decode(self, tokens, **_):
        return "".join(map(chr, tokens))


class Scripted:
    """A route that writes the same answer to every prompt."""

    name, packs, has_encoder = "plain", False, False

    def __init__(self, written):
        self.written = written

    def generate(self, lm, prompts, ending):
        return [Written(list(map(ord, self.written))) for _ in prompts], 0


class Sizeless:
    """The configuration of a model that says nothing of itself."""

    def get_text_config(self, decoder):
        return SimpleNamespace()


def ended(written, most, stop=(), schema=None):
    model = SimpleNamespace(config=Sizeless(), generation_config=None)
    lm = LanguageModel(ModelRef("scripted", ""), model, Letters(), Scripted(written))
    lm._grammars = lambda settings, rows: []
    [answer] = lm.generate(["?"], Generation(most, stop, schema))
    return answer


@pytest.mark.parametrize(
    ("written", "most", "stop", "schema", "reason"),
    [
        pytest.param("fine", 5, (), None, "stop", id="the end of the turn came before"),
        pytest.param("fine", 4, (), None, "length", id="the last token came first"),
        pytest.param("", 4, (), None, "stop", id="it said nothing"),
        pytest.param("fin\n", 4, ("\n",), None, "stop", id="its last token is a stop string"),
        pytest.param("fine", 4, ("\n",), None, "length", id="the stop string never came"),
        pytest.param('{"a"', 4, (), SCHEMA, "length", id="its JSON is open"),
        pytest.param('{"a":1}', 7, (), SCHEMA, "stop", id="its last token completes the JSON"),
    ],
)
def test_an_answer_is_cut_where_the_last_token_ended_it(written, most, stop, schema, reason):
    assert ended(written, most, stop, schema).finish_reason == reason


@pytest.mark.parametrize(
    ("written", "stop", "notes"),
    [
        ('{"a":', (), ("cut after 5 tokens: the JSON is incomplete",)),
        ('{"a":', ("a",), ("ended by a stop string: the JSON is incomplete",)),
        ('{"a":1}', (), ()),
    ],
)
def test_the_note_on_incomplete_json_says_what_ended_it(written, stop, notes):
    assert ended(written, len(written), stop, SCHEMA).notes == notes
