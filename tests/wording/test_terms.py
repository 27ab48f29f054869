"""Retired words stand in nothing that a person reads, nor in names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.wording.terms import TERMS

ROOT = Path(__file__).parents[2]
CODE = sorted(
    file
    for folder in ("harness", "strategies", "reports")
    for file in (ROOT / folder).rglob("*.py")
)
HEADS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
MADE = ROOT / "docs" / "reference"
"""Pages of docstrings, which are read here in no file: "fitted" is what a law is to points."""
DOCUMENTS = (page for page in (ROOT / "docs").rglob("*.md") if page.parent != MADE)
PAGES = sorted(
    [*(ROOT / name for name in HEADS), *DOCUMENTS, *(ROOT / "reports/templates").glob("*.j2")]
)
DATA = {"harness/wording/terms.py"}
"""Files that hold retired words as data."""
ALLOWED = (
    "in fact",
    "LLM judge",
)
"""Phrases in which a retired word is the right one."""
NAMES = (
    "contender", "contestant", "competitor", "hearing", "contest", "lesson", "opinion", "dearer",
)  # fmt: skip
"""Retired words of which no file, class or function is named."""


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each literal of a file that is words: docstrings and keys are none."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)  # docstrings, of attributes too
    }
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) in silent or id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "0" for p in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def retired_in(text: str) -> list[str]:
    """What is retired in a text, each with what to say instead; code in backticks is none of it."""
    plain = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    plain = re.sub(r"\{[{%#].*?[}%#]\}", "", plain, flags=re.DOTALL)  # a template's own code
    for phrase in ALLOWED:
        plain = plain.replace(phrase, "")
    return [
        f"'{match[0]}' → {term.say}"
        for term in TERMS
        for word in term.retired
        for match in re.finditer(rf"(?<![\w.\-]){word}(?![\w\-])", plain, flags=re.IGNORECASE)
    ]


def faults_of(file: Path) -> list[str]:
    """Where a file holds retired words, a line each."""
    name = file.relative_to(ROOT).as_posix()
    if file.suffix != ".py":
        lines = enumerate(
            re.sub(r"```.*?```", _blank, file.read_text(), flags=re.DOTALL).split("\n"), 1
        )
    else:
        lines = ((line, text) for line, text in texts(file) if " " in text.strip())
    return [f"{name}:{line}: {found}" for line, text in lines for found in retired_in(text)]


def _blank(match: re.Match[str]) -> str:
    """Keep the lines of a block of code, and nothing else of it."""
    return "\n" * match[0].count("\n")


def names_in(file: Path) -> set[str]:
    """The words that a file, its classes and its functions are named by."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    named = [file.stem, *(node.name for node in ast.walk(tree) if isinstance(node, kinds))]
    parts = (re.findall(r"[A-Z]?[a-z]+", name) for name in named)
    return {part.lower() for words in parts for part in words}


def test_there_is_something_to_read():
    assert len(CODE) > 200
    assert len(PAGES) >= 2
    assert sum(1 for file in CODE for _ in texts(file)) > 2000
    assert len(TERMS) >= 15


@pytest.mark.parametrize(
    "text",
    [
        "the contenders", "a dearer machine", "Facts of a run", "it is shown worse than x",
        "fitting took 3 s", "in 95 % of cases",
    ],
)  # fmt: skip
def test_a_retired_word_is_found(text):
    assert retired_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "set `facts: {}`", "in fact", "factor", "what fits is fit", "95% of cases",
        "the training loss", "an LLM judge scores", "endearing",
        "a busy machine: 20% of the time waiting for a core",
    ],
)  # fmt: skip
def test_other_words_and_keys_are_not(text):
    assert retired_in(text) == []


def test_no_text_holds_retired_words():
    found = {file.relative_to(ROOT).as_posix(): faults_of(file) for file in (*CODE, *PAGES)}
    faults = [fault for name, each in found.items() if name not in DATA for fault in each]
    assert not faults, "\n" + "\n".join(faults)


def test_nothing_is_named_by_retired_words():
    found = {file.relative_to(ROOT).as_posix(): names_in(file) & set(NAMES) for file in CODE}
    named = {name: words for name, words in found.items() if words}
    assert named == {}
