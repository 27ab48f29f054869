"""Reads rows from JSON text: one object a line, or one array of objects, also inside an object.

What is neither is refused with its cause (Python dicts, objects over several lines, several objects
on one line, delimited text) and is told once, not for every line.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from harness.errors import Fault, shown
from harness.files.json_text import DECODER, DuplicateKeyError
from harness.files.yaml_source import quote_it
from harness.task.rows.json_object import one_object, place_of, rows_key
from harness.task.rows.reading import Reading

ONE_A_LINE = "write one JSON object a line, e.g. with `jq -c`"
LONGEST_TRIED = 100_000
"""Characters of a line that is tried as Python; a longer one need not be."""


FIRST = 100
"""Characters before the first line that is not blank, at most."""
OF_PYTHON = re.compile(r"'|\b(?:True|False|None)\b")
"""What a Python dict has and no JSON object outside its texts."""
A_WORD = re.compile(r"[\w.+-]")
A_KEY = re.compile(r"\s*[\"'][^\"']*[\"']\s*:")


class Cause(NamedTuple):
    """Why a line is no row, what to do, and whether the rest of the file is the same."""

    what: str
    fix: str
    whole_file: bool = False


OVER_LINES = Cause("begins a JSON object that goes over several lines", ONE_A_LINE, whole_file=True)


def json_rows(
    text: str, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the values of each row; add what is wrong to `faults`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    escapes = "\\u" in text  # only these can write half of a pair
    for line, value in _values(text, path, reading, faults):
        if not isinstance(value, dict):
            what, fix = f"is not a JSON object: {shown(value)}", 'write {"id": …, "text": …}'
            faults.append(Fault(f"{path}:{line}", what, fix))
        elif escapes and not _is_unicode(value):
            what = "holds half of a surrogate pair"
            faults.append(Fault(f"{path}:{line}", what, "write valid Unicode"))
        else:
            yield line, value


def _values(
    text: str, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, Any]]:
    """Return what reads the layout that a text has."""
    begins = text.lstrip()[:1]
    if begins == "[":
        return _array(text, text.index("["), path, faults)
    if begins == "{" and (whole := one_object(text, reading)) is not None:
        return _list_inside(text, whole, path, reading, faults)
    if reading.rows is not None:
        what = f"is not one JSON object with a list '{reading.rows}' in it"
        faults.append(Fault(f"{path}:1", what, "remove `read.rows` under `data`"))
        return iter(())
    return _lines(text, path, faults)


def _list_inside(
    text: str, whole: dict[str, Any], path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, Any]]:
    """Yield the rows of the list that one object of a whole file holds."""
    name = rows_key(whole, reading, path, faults)
    if name is None:
        return
    keys = name.split(".") if reading.rows else [name]
    begin = place_of(text, keys)
    del whole  # its rows are read again, one by one
    if reading.rows is None:
        reading.say(path, f"its rows are the list '{name}' of the one JSON object that it holds")
    yield from _array(text, begin, path, faults, is_whole=False)


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _lines(text: str, path: str, faults: list[Fault]) -> Iterator[tuple[int, Any]]:
    for number, (start, line) in enumerate(_each_line(text), start=1):
        if not line.strip():
            continue
        value = _read(line, text, start)
        if isinstance(value, Cause):
            faults.append(Fault(f"{path}:{number}", value.what, value.fix))
            if value.whole_file:
                return
        else:
            yield number, value


def _each_line(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each line begins, and the line: a list of them would be the text once more."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, text[start:end]
        start = end + 1
    yield start, text[start:]


def _read(line: str, text: str, start: int) -> Any:
    """Return the value of a line that begins at `start` of `text`, or why it has none."""
    try:
        return DECODER.decode(line)
    except (ValueError, RecursionError) as problem:
        return _cause(problem, line, text, start)


def _array(
    text: str, start: int, path: str, faults: list[Fault], *, is_whole: bool = True
) -> Iterator[tuple[int, Any]]:
    """Yield the items of the array that begins at `start`, each with the line where it begins.

    Args:
        text: of the file.
        start: where the bracket stands.
        path: of the file.
        faults: receives what is wrong.
        is_whole: whether nothing may follow the array.
    """
    at, line, counted = start + 1, 1, 0
    while True:
        at = _after_blanks(text, at)
        line, counted = line + text.count("\n", counted, at), at
        if text[at : at + 1] == "]":
            if is_whole and text[at + 1 :].strip():
                what = "goes on after the end of its JSON array"
                faults.append(
                    Fault(f"{path}:{line}", what, "write one array, or one object a line")
                )
            return
        try:
            value, at = DECODER.raw_decode(text, at)
            yield line, value
            at = _after_blanks(text, at)
            if text[at : at + 1] not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
        except json.JSONDecodeError as problem:
            what = f"is not a JSON array: {problem.msg} at column {problem.colno}"
            fix = _unquoted(problem) or "correct it, or " + ONE_A_LINE
            faults.append(Fault(f"{path}:{problem.lineno}", what, fix))
            return
        except (ValueError, RecursionError) as problem:
            cause = _cause(problem, "", text, at)
            faults.append(Fault(f"{path}:{line}", cause.what, cause.fix))
            return
        at += text[at] == ","


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\t"):
        at += 1
    return at


def _cause(problem: Exception, line: str, text: str, start: int) -> Cause:
    """Return why a line that begins at `start` of `text` is no JSON object."""
    if isinstance(problem, DuplicateKeyError):
        return Cause(f"is no row: {problem}", "remove one of the two")
    if not isinstance(problem, json.JSONDecodeError):
        return Cause(f"is not JSON that can be read: {problem}", ONE_A_LINE)
    fix = _unquoted(problem) or ONE_A_LINE
    plain = Cause(f"is not JSON: {problem.msg} at column {problem.colno}", fix)
    return _other_form(line, text, start) or _other_layout(line, text, start) or plain


def _unquoted(problem: json.JSONDecodeError) -> str | None:
    """Return the remedy where JSON ends inside a word without quotes: 01, +1, 2024-01-01, ham."""
    start = end = problem.pos
    while start and A_WORD.match(problem.doc[start - 1]):
        start -= 1
    while end < len(problem.doc) and A_WORD.match(problem.doc[end]):
        end += 1
    word = problem.doc[start:end]
    between = re.search(r"[:\[,]\s*$", problem.doc[max(0, start - FIRST) : start])
    return quote_it(word) if between and 0 < len(word) <= FIRST else None


def _other_form(line: str, text: str, start: int) -> Cause | None:
    """Return the cause where a line is no JSON at all, but something that is known."""
    if _is_python(line):
        fix = "write JSON, as json.dumps(row) does: double quotes, true, false, null"
        return Cause("is a Python dict, not JSON", fix)
    first = start < FIRST and not text[:start].strip()
    if first and "{" not in line and any(mark in line for mark in ",;\t|"):
        fix = "name the file .csv (or .tsv where tabs stand between its cells)"
        return Cause("holds delimited text, not JSON", fix, whole_file=True)
    return None


def _other_layout(line: str, text: str, start: int) -> Cause | None:
    """Return the cause where JSON objects stand otherwise than one on each line."""
    end_of_line = start + len(line)
    try:
        value, end = DECODER.raw_decode(text, start + len(line) - len(line.lstrip()))
    except (ValueError, RecursionError):
        begins = line.strip() == "{" and A_KEY.match(text, end_of_line)
        return OVER_LINES if begins else None
    if isinstance(value, dict) and end > end_of_line:
        return OVER_LINES
    rest = text[end:end_of_line].strip() if isinstance(value, dict) else ""
    if rest == ",":
        return Cause("ends with a comma", "remove it: one JSON object a line, nothing between them")
    if rest.lstrip(", ").startswith("{"):
        return Cause("holds several JSON objects on one line", ONE_A_LINE)
    return None


def _is_python(line: str) -> bool:
    if not line.lstrip().startswith("{") or not OF_PYTHON.search(line):
        return False
    if len(line) > LONGEST_TRIED:
        return line.lstrip().startswith("{'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return isinstance(ast.literal_eval(line.strip()), dict)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return line.lstrip().startswith("{'")
