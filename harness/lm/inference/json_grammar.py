"""The grammar of JSON under a given schema.

`grammar.py` follows what is compiled here. This module sets llguidance's options and says where a
schema is at fault. The texts that remain:

- One blank at most before the text and after a comma or a colon, none elsewhere. If blanks were
  free, a small model would write them for ever. If there were none, a model could not follow the
  style of its examples, whether those are compact or written as `json.dumps` does. The blank before
  the text is the one that answers of models without a chat template begin with.
- The keys of an object stand in the order of its `properties`.
- `properties` or `patternProperties` without `type` mean an object, and without
  `additionalProperties` just those keys: JSON Schema would allow any value and any other key, and
  a small model would never stop inventing some. A schema that puts objects together (`allOf`;
  `properties` beside `$ref`, `anyOf` or `oneOf`) is taken as written: closing its pieces would
  leave nothing that fits all of them.
- Keys that only `additionalProperties` or `patternProperties` allow may come twice.

Knows nothing of models, prompts or how a token is chosen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.lm.inference.grammar import Grammar, one_line

if TYPE_CHECKING:
    from llguidance import LLMatcher

_STYLE = {
    "item_separator": ",[ ]?",
    "key_separator": ":[ ]?",
    "whitespace_flexible": False,
}
"""llguidance's options; the separators are regular expressions."""
_NAMED_PARTS = ("$defs", "definitions", "properties", "patternProperties")
_LISTED_PARTS = ("items", "prefixItems", "allOf", "anyOf", "oneOf")
_SINGLE_PARTS = ("items", "additionalProperties")
_FIXES = {
    "Unimplemented keys": "leave these keywords out",
    "oneOf": "write anyOf instead",
    "look-around": "write the pattern without it",
    "fuel": "make it simpler",
}
"""What to do, by what llguidance's message holds."""
_OF_A_PART = ("Unimplemented keys", "oneOf", "regex parse error", "Unknown format")
"""Signs of faults that a part has whatever it stands in."""
SHOWN = 5
"""Faults of a schema that are told."""


class JsonGrammar(Grammar):
    """All texts that are valid under one JSON schema, as tokens of one tokenizer."""

    what = "JSON answer"
    asks = "the schema"

    def __init__(self, tokenizer: Any, vocabulary_size: int, schema: Mapping[str, Any], end: int):
        """Compile the schema.

        Args:
            tokenizer: as for any grammar, and so are the width and the end.
            vocabulary_size: width of the model's logits, in tokens.
            schema: JSON Schema, draft 2020-12 or older, without remote references.
            end: the token that ends a turn.

        Raises:
            ModelError: the schema is malformed, unsupported or impossible to fulfil, or the
                tokenizer has no fast form.
        """
        # Checked part by part first: llguidance's own error would not say where the fault lies.
        narrowed = _narrowed(schema)
        _check(narrowed)
        super().__init__(tokenizer, vocabulary_size, _grammar(narrowed), end)

    def _unusable(self, fault: str) -> ModelError:
        return _unusable([("#", fault)])


def _narrowed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy whose objects have no other keys than they name (see the module's top)."""
    try:
        copy: dict[str, Any] = json.loads(json.dumps(dict(schema), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise _unusable([("#", f"it is not JSON ({error})")]) from error
    parts = [part for _, part in _parts(copy)]

    # Where objects are put together, closing one piece would forbid the keys of the others.
    together = any(
        "allOf" in part or ("properties" in part and part.keys() & {"$ref", "anyOf", "oneOf"})
        for part in parts
    )
    for part in parts:
        if part.keys() & {"properties", "patternProperties"} and not together:
            part.setdefault("type", "object")
            part.setdefault("additionalProperties", False)
    return copy


def _parts(schema: dict[str, Any], where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema in a schema with its place as a JSON pointer; the innermost first."""
    for key, value in schema.items():
        inner: Mapping[Any, Any] = {}
        if key in _SINGLE_PARTS and isinstance(value, dict):
            inner = {"": value}
        elif key in _LISTED_PARTS and isinstance(value, list):
            inner = {f"/{place}": part for place, part in enumerate(value)}
        elif key in _NAMED_PARTS and isinstance(value, dict):
            inner = {f"/{_pointed(name)}": part for name, part in value.items()}
        for name, part in inner.items():
            if isinstance(part, dict):
                yield from _parts(part, f"{where}/{key}{name}")
    yield where, schema


def check_schema(schema: Mapping[str, Any]) -> None:
    """Check that answers can be held to a schema, whatever the tokenizer.

    Raises:
        ModelError: as `JsonGrammar` would, with the place of each fault and what to do.
    """
    _byte_matcher(schema)


def unwritable(schema: Mapping[str, Any], texts: Sequence[str]) -> list[str]:
    """Return those of the texts that no answer held to the schema could be.

    JSON Schema may allow them all the same: what is followed has fewer keys (see the module's top).

    Raises:
        ModelError: as `check_schema` does.
    """
    matcher = _byte_matcher(schema)
    return [text for text in texts if not _may_write(matcher.deep_copy(), text)]


def _may_write(matcher: LLMatcher, text: str) -> bool:
    tokens = list(text.encode())
    return bool(matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting())


def _byte_matcher(schema: Mapping[str, Any]) -> LLMatcher:
    """Return the matcher of a schema over a tokenizer whose tokens are the bytes."""
    from llguidance import LLMatcher, LLTokenizer

    narrowed = _narrowed(schema)
    _check(narrowed)
    matcher = LLMatcher(LLTokenizer("byte"), _grammar(narrowed), log_level=0)
    if matcher.is_error():
        raise _unusable([("#", matcher.get_error())])
    return matcher


def _check(schema: dict[str, Any]) -> None:
    """Check that the schema, as a whole and in its parts, can be compiled and fulfilled.

    llguidance says what is wrong first, but not where: so the innermost parts that have a fault by
    themselves are sought. And it quietly leaves out an optional key whose value is impossible.

    Raises:
        ModelError: with the place of each fault.
    """
    # A part may refer to definitions that stand at the top, so each is checked beside them.
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    whole = _complaint(schema)
    faults: dict[str, str] = {}
    for where, part in _parts(schema):
        complaint = _complaint(definitions | part)
        alone = whole and any(sign in complaint for sign in _OF_A_PART)
        counts = complaint == whole or alone or "Unsatisfiable" in complaint
        if complaint and counts and complaint not in faults:
            faults[complaint] = where
    if whole:
        faults.setdefault(whole, "#")
    if faults:
        raise _unusable([(where, complaint) for complaint, where in faults.items()])


def _complaint(schema: dict[str, Any]) -> str:
    from llguidance import LLMatcher

    failed, messages = LLMatcher.validate_grammar_with_warnings(_grammar(schema))
    return messages[0] if failed else ""


def _grammar(schema: dict[str, Any]) -> str:
    """Return llguidance's own notation (its docs/syntax.md) of a blank at most, then the JSON."""
    answer = {"name": "answer", "json_schema": schema | {"x-guidance": _STYLE}}
    return json.dumps({"grammars": [{"lark_grammar": 'start: " "? @answer'}, answer]})


def _unusable(faults: Sequence[tuple[str, str]]) -> ModelError:
    """Return the error of a schema with these faults, each behind its place."""
    told = [
        f"at {where}: {one_line(fault)} → "
        + next((fix for sign, fix in _FIXES.items() if sign in fault), "correct it")
        for where, fault in faults[:SHOWN]
    ]
    more = [f"and {len(faults) - SHOWN} more faults"] if len(faults) > SHOWN else []
    return ModelError("the answer's schema cannot be followed: " + "; ".join([*told, *more]))


def _pointed(name: str) -> str:
    """Return a key as JSON pointers write it (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
