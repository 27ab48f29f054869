"""Personal data and secrets in rows: how many of each kind, shown masked.

Patterns are bounded and begin where a word begins, so that a text takes a time that grows with its
length. Knows nothing of splits. Not covered: names and addresses of people, and what somebody
writes in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from harness.store.finding import Finding, FindingSeverity

SHOWN = 3
"""Masked examples of each kind."""


class Kind(NamedTuple):
    """One kind of what should not stand in data."""

    name: str
    severity: FindingSeverity
    pattern: re.Pattern[str]
    holds: Callable[[str], bool]


def is_card(found: str) -> bool:
    """Tell whether digits are a card's number: an issuer's first digit and Luhn's checksum.

    ISO/IEC 7812-1, annex B.
    """
    digits = [int(one) for one in found if one.isdecimal()]
    if digits[0] not in (2, 3, 4, 5, 6) or len(set(digits)) < 2:
        return False
    doubled = [2 * one - 9 * (one > 4) for one in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27,
    "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SE": 24, "SI": 19, "SK": 24, "TR": 26, "SA": 24, "AE": 23, "IL": 23, "BR": 29,
}  # fmt: skip
"""Characters of an account number by country: SWIFT's IBAN registry."""


def is_iban(found: str) -> bool:
    """Tell whether a text begins with an account number: its length and the check by modulo 97.

    ISO 13616; letters count as 10 to 35.
    """
    compact = found.replace(" ", "")
    length = IBAN_LENGTHS.get(compact[:2])
    if length is None or len(compact) < length:
        return False
    turned = compact[4:length] + compact[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def is_phone(found: str) -> bool:
    """Tell whether digits can be a telephone's: 8 to 15 after a plus (E.164), else 9 or more."""
    digits = sum(one.isdecimal() for one in found)
    return (8 if "+" in found else 9) <= digits <= 15


KEYS = (
    r"sk-[\w-]{20,200}|hf_[A-Za-z0-9]{30,}|gh[opsur]_[A-Za-z0-9]{36,}|github_pat_\w{22,}"
    r"|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}"
    r"|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,}"
)
"""As well-known services write their keys (the same as harness/machine/secrets.py knows)."""
CARD = r"(?<![\w.])(?:\d[ -]?){12,18}\d(?!\w)"
PHONE = r"(?<![\w+.])(?:\+\d|\(?0\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d)[\d ()/.-]{2,18}\d(?!\w)"
"""Begins with a plus, with a 0, or as North American numbers are written: others are amounts."""
KINDS = (
    Kind(
        "keys", "severe",
        re.compile(rf"(?<![\w-])(?:{KEYS})|-----BEGIN [A-Z ]{{0,20}}PRIVATE KEY-----", re.ASCII),
        lambda found: True,
    ),
    Kind("card numbers", "severe", re.compile(CARD, re.ASCII), is_card),
    Kind(
        "bank accounts (IBAN)", "severe",
        re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", re.ASCII), is_iban,
    ),
    Kind(
        "e-mail addresses", "warning",
        re.compile(
            r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])",
            re.ASCII,
        ),
        lambda found: True,
    ),
    Kind(
        "telephone numbers", "warning",
        re.compile(
            PHONE, re.ASCII
        ),
        is_phone,
    ),
)  # fmt: skip
WORTH_A_LOOK = re.compile(
    r"@|\d[\d ()/.-]{6}|[A-Z]{2}\d\d|sk-|hf_|gh[opsur]_|_pat_|glpat|xox|eyJ|AIza|AKIA|-----B"
)
"""What any of them holds: most texts hold nothing of it."""


def held(text: str) -> Iterator[tuple[Kind, str]]:
    """Yield what a text holds of each kind; what one kind has taken is not another's."""
    if not WORTH_A_LOOK.search(text):
        return
    for kind in KINDS:
        taken = [match[0] for match in kind.pattern.finditer(text) if kind.holds(match[0])]
        for one in taken:
            yield kind, one
            text = text.replace(one, " ")


def masked(found: str) -> str:
    """Return the first two characters and how many there are in all."""
    return f"{found[:2]}… ({len(found)} characters)"


def personal_data(texts: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what is found of each kind.

    Args:
        texts: id of a row, and all that it holds.
    """
    rows: dict[str, list[str]] = {kind.name: [] for kind in KINDS}
    examples: dict[str, list[str]] = {kind.name: [] for kind in KINDS}
    n = 0
    for row, text in texts:
        n += 1
        if not WORTH_A_LOOK.search(text):
            continue
        for name, found in {kind.name: one for kind, one in held(text)}.items():
            rows[name].append(row)
            if len(examples[name]) < SHOWN:
                examples[name].append(masked(found))
    yield from _told(rows, examples, n)


def _told(
    rows: Mapping[str, list[str]], examples: Mapping[str, list[str]], n: int
) -> Iterator[Finding]:
    for kind in KINDS:
        if ids := rows[kind.name]:
            yield Finding.of(
                kind.name,
                f"{len(ids)} of {n} rows hold {kind.name} ({', '.join(examples[kind.name])})",
                ids,
                severity=kind.severity,
                remedy="mask them, or leave the rows out: arms keep rows in their files, and hosted"
                " models are sent them",
            )
