"""Keys: which variables of an environment hold them, and texts and processes without them.

Knows nothing of servers and workers. Not covered: a key that somebody enciphers or takes apart, and
what a process of the same user reads elsewhere than in its own environment.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

SHOWN_INSTEAD = "[key]"
SHORTEST = 8
"""Characters of the shortest key that is taken for a secret wherever it stands: words such as
"none" or "EMPTY", which servers without keys are given, also stand in honest answers."""
PART = 12
"""So many characters from a key's beginning are taken for the key, cut short."""
NAMES = re.compile(
    r"(^|_)(KEYS?|AUTH|PASS|PASSPHRASE|PAT|CREDENTIALS?|DSN|WEBHOOK)(_|$)"
    r"|(TOKEN|SECRET|PASSWORD|PASSWD|APIKEY)S?(_|$)",
    re.IGNORECASE,
)
"""Names of variables that hold secrets: OPENAI_API_KEY, HF_TOKEN, AWS_SECRET_ACCESS_KEY, …"""
VALUES = re.compile(
    r"^(sk-|hf_|gh[opsur]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|eyJ[\w-]+\.eyJ)"
    r"|://[^/\s:@]*:[^/\s@]+@"
)
"""Values that are secrets whatever they are called: as well-known services write their keys, and
addresses with a password."""
KEEP = "HARNESS_KEEP"
"""Variable that names others, with commas between, which workers keep although they look like
secrets: for an arm of one's own that needs one."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
"""Variables whose addresses may hold a password: needed where a server is asked or a model is
fetched."""
HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Variables with the key to the model hub."""


def without(key: str | None, text: str, shortest: int = 1) -> str:
    """Return a text without a key, in whatever cheap form that stands there.

    As it is, in another case of letters, URL-quoted, JSON-, HTML- or Python-escaped, in hex, in
    base64 (inside a longer text too), and cut short behind its first `PART` characters.

    Args:
        key: what to take out; None: nothing.
        text: anything.
        shortest: a key of fewer characters is left where it stands.
    """
    if not key or len(key) < shortest:
        return text
    forms, small = _forms(key), text.lower()
    if any(form in small for form in forms):  # which is told a hundred times sooner than replaced
        text = re.sub("|".join(map(re.escape, forms)), SHOWN_INSTEAD, text, flags=re.IGNORECASE)
    return _without_parts(key, text) if len(key) > PART else text


def all_without(key: str | None, value: Any, shortest: int = 1) -> Any:
    """Return a value of JSON without a key in any of its texts, names of fields included.

    Half a surrogate pair, which no file could hold, becomes the sign for what is not readable.
    """
    if isinstance(value, str):
        return without(key, HALVES.sub("�", value), shortest)
    if isinstance(value, list):
        return [all_without(key, one, shortest) for one in value]
    if isinstance(value, dict):
        return {
            all_without(key, name, shortest): all_without(key, one, shortest)
            for name, one in value.items()
        }
    return value


HALVES = re.compile("[\ud800-\udfff]")


def kept(
    environment: Mapping[str, str], own: Collection[str] = (), others: Collection[str] = ()
) -> dict[str, str]:
    """Return an environment without secrets but those that a process is to have.

    Args:
        environment: all variables.
        own: names of secrets that it is to have.
        others: names of variables that hold secrets, whatever they are called.
    """
    wanted = {*own, *(name.strip() for name in environment.get(KEEP, "").split(","))}
    values = {environment[name] for name in others if len(environment.get(name, "")) >= SHORTEST}
    return {
        name: value
        for name, value in environment.items()
        if name in wanted
        or not (
            name in others
            or NAMES.search(name)
            or VALUES.search(value)
            or any(secret in value for secret in values)
        )
    }


def values_of(environment: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return the secrets of variables; short words and addresses of mere proxies are none."""
    found = {name: environment.get(name, "").strip() for name in names}
    return [
        value
        for name, value in found.items()
        if len(value) >= SHORTEST and (name not in PROXIES or VALUES.search(value))
    ]


@lru_cache(maxsize=64)
def _forms(key: str) -> tuple[str, ...]:
    """Return a key in all its forms in small letters, the longest first."""
    return tuple(sorted({form.lower() for form in (key, *_encoded(key))}, key=len, reverse=True))


def _encoded(key: str) -> Iterator[str]:
    """Yield the forms in which a server may repeat a key; of a short one only its own."""
    if len(key) < SHORTEST:
        return
    yield from (quote(key), quote(key, safe=""), quote_plus(key))
    yield "".join(f"%{ord(one):02x}" for one in key)
    in_json = json.dumps(key)[1:-1]
    yield from (in_json, in_json.replace("/", "\\/"), html.escape(key), repr(key)[1:-1])
    yield from ("".join(f"\\u{ord(one):04x}" for one in key), key.encode().hex())
    # Each place in a group of three bytes gives other letters; what also depends on the
    # neighbours' bytes is left out.
    for before, begin in enumerate((0, 2, 3)):
        coded = base64.b64encode(b"\0" * before + key.encode()).decode()
        whole = coded[begin : 8 * (before + len(key.encode())) // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"))


def _without_parts(key: str, text: str) -> str:
    """Return a text without beginnings of a key, as they stand where somebody cut a text."""
    begin, parts = key[:PART], []
    while (place := text.find(begin)) >= 0:
        end = place + PART
        while end < len(text) and end - place < len(key) and text[end] == key[end - place]:
            end += 1
        parts.append(text[:place])
        text = text[end:]
    return SHOWN_INSTEAD.join([*parts, text])
