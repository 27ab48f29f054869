"""`predict` reads inputs as `run` reads rows, or refuses them with their place."""

import gzip
import io
import json
import sys

import pytest

from harness.errors import TaskError
from harness.task import read_inputs

COLUMNS = {"input": "text", "id": None, "visible": [], "groups": None, "target": "label"}


def read(folder, name, content, **columns):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(query.id, query.text) for query in read_inputs(folder / name, COLUMNS | columns)]


def told(folder, name, content, **columns):
    with pytest.raises(TaskError) as problem:
        read(folder, name, content, **columns)
    return [str(fault).replace(f"{folder}/", "") for fault in problem.value.faults]


ROWS = '{"id": 1, "text": "hello"}\n{"id": 2, "text": "world"}\n'
TWO = [("1", "hello"), ("2", "world")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "\ufeffhello\nworld\n"),
        ("a.TXT", "hello\nworld"),
        ("a.txt", "hello\r\nworld\r\n"),
        ("a.txt", "hello\rworld"),
        ("a.txt", "\nhello\n\n \nworld\n"),
        ("a.txt", "\ufeff" + ROWS),
        ("a.txt", json.dumps([json.loads(line) for line in ROWS.splitlines()], indent=1)),
        ("a.json", json.dumps([json.loads(line) for line in ROWS.splitlines()])),
        ("a.tsv", "id\ttext\n1\thello\n2\tworld\n"),
        ("a.csv", "id;text\n1;hello\n2;world\n"),
        ("a.jsonl", "\ufeff" + ROWS),
        ("a.JSONL", ROWS),
        ("a.jsonl", ROWS.replace("\n", "\r\n")),
        ("a.csv", "id,text\n1,hello\n2,world\n"),
        ("a.csv.gz", gzip.compress(b"id,text\n1,hello\n2,world\n", mtime=0)),
        (
            "a.json",
            '{"rows": ' + json.dumps([json.loads(line) for line in ROWS.splitlines()]) + "}",
        ),
        ("a.txt", "hello\nworld\n".encode("utf-16")),
        ("a.CSV", "\ufeffid,text\r\n1,hello\r\n2,world\r\n"),
    ],
)
def test_whatever_run_reads_is_read_alike(tmp_path, name, content):
    assert read(tmp_path, name, content) == TWO


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.jsonl", '{"text": ["a", "b"]}', 'a.jsonl:1: \'text\' must be a text, not ["a", "b"]'),
        ("a.jsonl", '{"text": NaN}', "a.jsonl:1: 'text' is NaN"),
        ("a.jsonl", '{"text": {"a": 1}}', "a.jsonl:1: 'text' must be a text, not {\"a\": 1}"),
        ("a.jsonl", '{"text": " "}', "a.jsonl:1: 'text' is empty"),
        ("a.jsonl", '{"text": null}', "a.jsonl:1: 'text' is null"),
        ("a.jsonl", '{"id": [1], "text": "x"}', "a.jsonl:1: 'id' must be a text, not [1]"),
        ("a.jsonl", '{"words": "x"}', "a.jsonl:1: no column is called 'text'"),
        ("a.jsonl", '{"text": "x"}\n{"text": "y"', "a.jsonl:2: is not JSON"),
        ("a.txt", '{"text": "x"}\n\n{"text": "y"', "a.txt:3: is not JSON"),
        ("a.txt", '{"text": ["x"]}', "a.txt:1: 'text' must be a text, not [\"x\"]"),
        ("a.txt", b"f\xfcr\x81 dich\n", "a.txt:1: "),
        ("a.csv", b"f\xfcr\x81 dich\n", "a.csv:1: "),
        ("a.csv", "text,b\nx\n", "a.csv:2: does not have 2 columns"),
        ("a.jsonl", "", "a.jsonl: has no rows"),
    ],
)
def test_what_run_refuses_is_refused_with_its_place(tmp_path, name, content, line):
    (found,) = told(tmp_path, name, content)
    assert found.startswith(line)


@pytest.mark.parametrize("name", ["a.xls_", "a.docx", "a"])
def test_a_format_that_nobody_reads_is_refused_and_the_remedy_works(tmp_path, name):
    (line,) = told(tmp_path, name, "hello\nworld\n")
    assert line.startswith(f"{name}: ")
    assert line.endswith(".txt with one text a line")
    assert read(tmp_path, "a.txt", "hello\nworld\n") == TWO


def test_a_text_that_begins_like_a_row_is_a_text_where_no_line_is_a_row(tmp_path):
    said = "{name} is not filled in"
    assert read(tmp_path, "a.txt", f"hello\n{said}\n") == [("1", "hello"), ("2", said)]


def test_standard_input_is_read_as_bytes_whatever_the_locale_is(monkeypatch):
    raw = io.BytesIO("\ufeffgr\u00fc\u00dfe\n".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw, encoding="ascii"))
    assert [query.text for query in read_inputs(None, COLUMNS)] == ["gr\u00fc\u00dfe"]


def test_visible_columns_must_be_there(tmp_path):
    (line,) = told(tmp_path, "a.txt", "hello\n", visible=["channel"])
    assert line.startswith("a.txt:1: no column is called 'channel'")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "id;text\n1;hello\n", ["a semicolon stands between the cells"]),
        ("a.csv", "id\ttext\n1\tf\xfcr dich\n".encode("cp1252"), ["windows-1252", "a tab stands"]),
        ("a.txt", "hello\n".encode("utf-16"), ["read as UTF-16"]),
        ("a.json", '{"rows": [{"text": "hello"}]}', ["its rows are the list 'rows'"]),
        ("a.csv", "id,text\n1,hello\n", []),
        ("a.jsonl", ROWS, []),
    ],
)
def test_what_was_found_of_a_file_is_said(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = []
    read_inputs(tmp_path / name, COLUMNS, said.append)
    assert len(said) == len(words)
    for line, part in zip(said, words, strict=True):
        assert line.startswith(f"{name}: ")
        assert part in line
