"""What the grammar lets through is valid JSON under its schema; what breaks it is forbidden."""

from __future__ import annotations

import copy
import functools
import gc
import json
import random
import re
from types import SimpleNamespace

import llguidance
import pytest
from grammar_walks import allowed_tokens, train, walk

from harness.errors import ModelError
from harness.lm.inference import grammar as room
from harness.lm.inference.json_grammar import JsonGrammar


def thing(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def text(most):
    return {"type": "string", "maxLength": most}


def whole(low, high):
    return {"type": "integer", "minimum": low, "maximum": high}


FLAG = {"type": "boolean"}
SCHEMAS = {
    "nested object": thing(
        ["name", "at"], name=text(8), at=thing(["city"], city=text(6), floor=whole(-3, 120))
    ),
    "enum": {"enum": ["refund", "re", 7, None, True, 'a "quoted" one\n']},
    "array": {"type": "array", "items": whole(0, 99), "minItems": 1, "maxItems": 4},
    "integer": whole(-17, 2345),
    "boolean": FLAG,
    "optional keys": {"properties": {"a": FLAG, "b": text(5), "c": FLAG}, "required": ["b"]},
    "pattern": thing(["sku"], sku={"type": "string", "pattern": "^[A-Z]{2}-[0-9]{2,4}$"}),
    "not ASCII": thing(
        ["größe", "wort"],
        größe={"enum": ["東京", "naïve café", "🙂"]},
        wort={"type": "string", "pattern": "^[äöüß東]{1,5}$"},
    ),
    "definitions": {
        "$defs": {"line": {"properties": {"n": whole(0, 9)}}},
        "type": "array",
        "items": {"anyOf": [{"$ref": "#/$defs/line"}, {"enum": [None]}]},
        "maxItems": 3,
    },
}


@pytest.fixture(scope="module")
def tokenizer():
    return train(byte_fallback=False)


def build(tokenizer, schema, width=None, end=None):
    end = tokenizer.eos_token_id if end is None else end
    return JsonGrammar(tokenizer, width or len(tokenizer), schema, end)


def after(grammar, tokenizer, pieces):
    """Where a row stands after pieces of text that are a token each."""
    state = grammar.start()
    for piece in pieces:
        state.accept(tokenizer.convert_tokens_to_ids(piece))
    return state


def accepts(tokenizer, schema, text):
    """Whether every token of a text and then its end are allowed."""
    grammar = build(tokenizer, schema)
    state = grammar.start()
    for token in [*tokenizer(text, add_special_tokens=False).input_ids, grammar.end]:
        if token not in allowed_tokens(grammar, state):
            return False
        state.accept(token)
    return True


def fits(value, schema, root=None):
    """Whether a value is valid by the keywords used here, without keys that are not named."""
    root = schema if root is None else root
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return any(fits(value, part, root) for part in schema["anyOf"])
    if "enum" in schema:
        return any(value == one and type(value) is type(one) for one in schema["enum"])
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    kind = kinds[schema.get("type", "object")]
    right = type(value) is kind
    if right and kind is dict:
        named = schema["properties"]
        right = set(schema.get("required", ())) <= value.keys() <= named.keys()
        right = right and all(fits(one, named[key], root) for key, one in value.items())
    elif right and kind is list:
        right = schema.get("minItems", 0) <= len(value) <= schema["maxItems"]
        right = right and all(fits(one, schema["items"], root) for one in value)
    elif right and kind is str:
        right = len(value) <= schema.get("maxLength", 99)
        right = right and re.search(schema.get("pattern", ""), value) is not None
    elif right and kind is int:
        right = schema["minimum"] <= value <= schema["maximum"]
    return right


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("name", SCHEMAS)
def test_every_text_it_lets_through_is_valid(name, byte_fallback):
    schema, tokenizer, draw = SCHEMAS[name], train(byte_fallback), random.Random(name)
    grammar = build(tokenizer, schema)
    texts = {walk(grammar, tokenizer, draw) for _ in range(12)}
    assert len(texts) > 1
    for one in texts:
        assert fits(json.loads(one), schema), one


def test_every_value_of_an_enum_can_be_reached(tokenizer):
    grammar, draw = build(tokenizer, {"enum": ["refund", "re", 7, None]}), random.Random(1)
    values = {json.loads(walk(grammar, tokenizer, draw)) for _ in range(60)}
    assert values == {"refund", "re", 7, None}


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2], "b": true}', '{"a":[1,2],"b":true}', ' {"a": []}', "{}"]
)
def test_compact_and_spaced_json_are_let_through(tokenizer, text):
    assert accepts(tokenizer, {"properties": {"a": {"items": whole(0, 9)}, "b": FLAG}}, text)


@pytest.mark.parametrize(
    "text",
    [
        *('  {"a": []}', '{ "a": []}', '{"a":  []}', '{"a":\n[]}', '{"a": []} '),
        *('{"b": true, "a": []}', '{"a": [], "c": 1}', '{"a": [], "a": []}'),
        *('{"a": [', "[]", "", "a", "<other>"),
    ],
)
def test_other_blanks_orders_and_keys_are_not(tokenizer, text):
    schema = {"properties": {"a": {"type": "array", "items": whole(0, 9)}, "b": FLAG}}
    assert not accepts(tokenizer, schema, text)


def test_unnamed_keys_come_where_the_schema_says_so(tokenizer):
    named, text = {"a": {"type": "integer"}}, '{"a": 1, "b": 2}'
    assert not accepts(tokenizer, {"properties": named}, text)
    assert accepts(tokenizer, {"properties": named, "additionalProperties": True}, text)
    assert accepts(tokenizer, {"type": "object"}, text)
    pair = {"type": "array", "items": [{"properties": named}], "maxItems": 1}  # as of draft 7
    assert not accepts(tokenizer, pair, f"[{text}]")
    assert accepts(tokenizer, pair, '[{"a": 1}]')
    together = {"allOf": [{"properties": named}, {"properties": {"b": {}}}], "required": ["b"]}
    assert accepts(tokenizer, together, text)
    assert not accepts(tokenizer, together, '{"a": 1}')


def test_recursive_schemas_are_followed(tokenizer):
    schema = {"properties": {"n": whole(0, 9), "next": {"$ref": "#"}}, "required": ["n"]}
    assert accepts(tokenizer, schema, '{"n": 1, "next": {"n": 2, "next": {"n": 3}}}')
    assert not accepts(tokenizer, schema, '{"n": 1, "next": {"next": {"n": 3}}}')


def test_nothing_but_a_brace_or_a_blank_can_begin_an_object(tokenizer):
    grammar = build(tokenizer, SCHEMAS["pattern"])
    first = tokenizer.batch_decode([[t] for t in allowed_tokens(grammar, grammar.start())])
    assert "{" in first
    assert all('{"sku"'.startswith(piece.removeprefix(" ")) for piece in first)


def test_special_tokens_never_stand_in_a_string(tokenizer):
    grammar = build(tokenizer, {"type": "string"})
    allowed = allowed_tokens(grammar, after(grammar, tokenizer, '"a'))
    assert len(allowed) > 200
    assert not {tokenizer.convert_tokens_to_ids("<other>"), grammar.end} & set(allowed)


@pytest.mark.parametrize("end", ["<other>", "a"])
def test_any_token_can_be_the_end_and_is_nothing_else_then(tokenizer, end):
    end = tokenizer.convert_tokens_to_ids(end)
    inside = build(tokenizer, {"type": "string"}, end=end)
    assert end not in allowed_tokens(inside, after(inside, tokenizer, '"x'))
    complete = build(tokenizer, {"const": 1}, end=end)
    state = after(complete, tokenizer, "1")
    assert state.complete
    assert allowed_tokens(complete, state) == [end]


def test_a_wider_vocabulary_is_forbidden_where_it_has_no_tokens(tokenizer):
    exact = build(tokenizer, {"type": "string"})
    wide = build(tokenizer, {"type": "string"}, width=len(tokenizer) + 45)
    for pieces in ("", '"', '"a', '"a"'):
        same = allowed_tokens(exact, after(exact, tokenizer, pieces))
        assert allowed_tokens(wide, after(wide, tokenizer, pieces)) == same


def test_logits_narrower_than_the_tokenizer_are_masked_too():
    tokenizer = train(byte_fallback=True)
    tokenizer.add_tokens(["<more>"])
    grammar = build(tokenizer, whole(-17, 99), width=len(tokenizer) - 1)
    assert fits(json.loads(walk(grammar, tokenizer, random.Random(3))), whole(-17, 99))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_allowed_logits_stay_as_they_were(tokenizer, dtype):
    import torch

    logits = torch.randn(len(tokenizer), generator=torch.Generator().manual_seed(0))
    logits = logits.to(getattr(torch, dtype))
    before = logits.clone()
    build(tokenizer, FLAG).start().forbid(logits)
    kept = logits.isfinite()
    assert 0 < int(kept.sum()) < 20
    assert torch.equal(logits[kept], before[kept])
    assert bool((logits[~kept] == float("-inf")).all())


def test_rows_do_not_disturb_each_other(tokenizer):
    grammar = build(tokenizer, {"enum": ["ab", "cd"]})
    a, c = tokenizer.convert_tokens_to_ids(["a", "c"])
    one, two = grammar.start(), after(grammar, tokenizer, '"')
    done = after(grammar, tokenizer, '"c')
    assert a not in allowed_tokens(grammar, done)
    assert {a, c} <= set(allowed_tokens(grammar, two))
    assert not {a, c} & set(allowed_tokens(grammar, one))


def test_a_token_that_was_forbidden_is_not_accepted(tokenizer):
    grammar = build(tokenizer, FLAG)
    with pytest.raises(ModelError, match="ends a JSON answer that is not complete"):
        grammar.start().accept(grammar.end)
    with pytest.raises(ModelError, match=r"token \d+ cannot follow in the JSON answer: [^<]+$"):
        after(grammar, tokenizer, "x")


NUMBERS_CROSSED = {"type": "integer", "minimum": 5, "maximum": 2}


@pytest.mark.parametrize(
    ("schema", "place", "fault"),
    [
        ({"type": "objekt"}, "#", "Invalid type: objekt → correct it"),
        ({"properties": []}, "#", "properties must be an object"),
        (thing(a={"type": "strin"}), "#/properties/a", "Invalid type: strin"),
        (thing(**{"a/b": {"items": {"pattern": "("}}}), "#/properties/a~1b/items", "unclosed"),
        ({"type": "string", "pattern": "(?=a)b"}, "#", "write the pattern without it"),
        ({"anyOf": [FLAG, {"not": {}}]}, "#/anyOf/1", '["not"] → leave these keywords out'),
        ({"$defs": {"l": {"uniqueItems": True}}, "$ref": "#/$defs/l"}, "#/$defs/l", "uniqueItems"),
        ({"oneOf": [{"type": "object"}, {"type": "object"}]}, "#", "write anyOf instead"),
        ({"$ref": "#/$defs/no"}, "#", "'/$defs/no' does not exist"),
        ({"properties": {"a": {}}, "required": ["b"]}, "#", "required property 'b'"),
        (thing(n=NUMBERS_CROSSED), "#/properties/n", "minimum (5) is greater than maximum (2)"),
        (thing(["n"], n=NUMBERS_CROSSED), "#/properties/n", "minimum (5) is greater than"),
        ({"enum": []}, "#", "Unsatisfiable"),
        ({"type": "integer", "multipleOf": 999999937}, "#", "→ make it simpler"),
        ({"const": {1, 2}}, "#", "it is not JSON"),
        ({"const": float("nan")}, "#", "it is not JSON"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_named(tokenizer, schema, place, fault):
    with pytest.raises(ModelError) as caught:
        build(tokenizer, schema)
    message = str(caught.value)
    assert f"at {place}: " in message
    assert fault in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("limit", "place"), [("initial_lexer_fuel", "at #: "), ("step_max_items", "nothing can follow")]
)
def test_a_schema_that_outgrows_the_limits_is_named(tokenizer, monkeypatch, limit, place):
    tight = functools.partial(llguidance.LLParserLimits, **{limit: 1})
    monkeypatch.setattr(llguidance, "LLParserLimits", tight)
    with pytest.raises(ModelError, match=place):
        walk(build(tokenizer, SCHEMAS["nested object"]), tokenizer, random.Random(0))


def test_a_tokenizer_that_cannot_be_read_is_named():
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    with pytest.raises(ModelError, match="needs a fast tokenizer and SimpleNamespace is none"):
        JsonGrammar(SimpleNamespace(is_fast=False), 10, FLAG, 0)
    inner = Tokenizer(models.WordLevel({"<end>": 0, "t": 1, "r": 2}, unk_token="<end>"))
    few = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
    with pytest.raises(ModelError, match=r"cannot be used for a JSON answer: .* → take another"):
        build(few, FLAG)
    inner.decoder = decoders.ByteLevel()
    few = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
    grammar = build(few, {"const": True})
    with pytest.raises(ModelError, match="no token of the model continues the JSON answer"):
        walk(grammar, few, random.Random(0))


def test_a_tokenizer_is_prepared_once_and_let_go(tokenizer, monkeypatch):
    own = copy.deepcopy(tokenizer)
    gc.collect()
    before = len(room._tokenizers)
    build(own, FLAG)
    with monkeypatch.context() as patch:
        patch.setattr("llguidance.hf.from_tokenizer", None)
        build(own, whole(0, 9))
    assert len(room._tokenizers) == before + 1
    del own
    gc.collect()
    assert len(room._tokenizers) == before


def greedy(lm, grammar, prompt, most):
    import torch

    turns = [{"role": "user", "content": prompt}]
    render = lm.tokenizer.apply_chat_template
    shown = render(turns, add_generation_prompt=True, tokenize=False)
    inputs = lm.tokenizer(shown, add_special_tokens=False, return_tensors="pt").input_ids
    state, cache, new = grammar.start(), None, []
    while len(new) < most:
        with torch.inference_mode():
            output = lm.model(inputs, past_key_values=cache, use_cache=True)
            cache, logits = output.past_key_values, output.logits[0, -1].clone()
            state.forbid(logits)
        token = int(logits.argmax())
        state.accept(token)
        if token == grammar.end:
            return lm.tokenizer.decode(new)
        new.append(token)
        inputs = torch.tensor([[token]])
    raise AssertionError(f"no end in sight: {lm.tokenizer.decode(new)}")


@pytest.mark.model
def test_the_real_model_answers_in_json(smollm2):
    places = {"enum": ["Africa", "America", "Asia", "Europe", "Oceania"]}
    cities = {"type": "array", "items": text(12), "minItems": 1, "maxItems": 2}
    schema = thing(
        ["capital", "continent", "cities"], capital=text(20), continent=places, cities=cities
    )
    end, width = smollm2.tokenizer.eos_token_id, smollm2.model.config.vocab_size
    grammar = build(smollm2.tokenizer, schema, width, end)
    answer = greedy(smollm2, grammar, "Tell me about France as JSON.", 60)
    assert fits(json.loads(answer), schema), answer


@pytest.mark.model
@pytest.mark.parametrize("name", ["nested object", "optional keys", "not ASCII", "array"])
def test_walks_over_the_real_vocabulary_are_valid(smollm2, name):
    grammar = build(smollm2.tokenizer, SCHEMAS[name], smollm2.model.config.vocab_size)
    draw = random.Random(5)
    for _ in range(4):
        answer = walk(grammar, smollm2.tokenizer, draw)
        assert fits(json.loads(answer), SCHEMAS[name]), answer
