"""When two inputs count as the same: what an arm is asked, and not how it is written.

Knows nothing of rows, splits or targets.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from harness.types import Query

_ASCII_WORDS = {at: chr(at).lower() if chr(at).isalnum() else " " for at in range(128)}
"""Letters and digits in lower case; a blank for whatever else ASCII has."""


def normalised(text: str) -> str:
    """Reduce `text` to its words in lower case, the form in which inputs are compared.

    Words are runs of letters (with their marks) and digits: neither case nor punctuation tells
    two inputs apart, nor how a letter's marks are encoded. A text without any is compared as it
    is: two emoji are not the same input.
    """
    if text.isascii():  # of these no other character is a letter or a digit: many times as fast
        kept = text.translate(_ASCII_WORDS)
    else:
        composed = unicodedata.normalize("NFC", text.lower())
        kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in composed)
    return " ".join(kept.split()) or text.strip()


def input_key(text: str, fields: Mapping[str, Any]) -> str:
    """Return what is the same for equal inputs: the text and the visible fields, normalised."""
    if not fields:
        return normalised(text)
    shown = [[name, normalised(_plain(fields[name]))] for name in sorted(fields)]
    return json.dumps([normalised(text), *shown], ensure_ascii=False)


def key_of(query: Query) -> str:
    """Return what is the same for queries that ask the same."""
    return input_key(query.text, query.fields)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
