"""Rows of JSONL and CSV: what is wrong with one is told with its file and line."""

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_folder import data, faults_of, jsonl, rows, task_text, told, write

from harness.task import load_task
from harness.task.rows import read_rows

GOOD = rows("test", 2)
CSV_TASK = task_text(data=data(test="test.csv"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not JSON"),
        ("{'id': 1}", "is a Python dict, not JSON"),
        ("[1, 2]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("[" * 99999, "is not JSON"),
        ('{"id": ' + "9" * 5000 + "}", "is not JSON"),
        ('{"id": 9, "text": "\\ud800", "label": "a"}', "surrogate"),
        ('{"id": 9, "label": "a"}', "no column is called 'text'"),
        ('{"id": 9, "text": "x", "lable": "a"}', "did you mean 'lable'"),
        ('{"id": 9, "text": null, "label": "a"}', "'text' is null"),
        ('{"id": 9, "text": "x", "label": null}', "'label' holds no answer"),
        ('{"id": null, "text": "x", "label": "a"}', "'id' is null"),
        ('{"text": "x", "label": "a"}', "no column is called 'id'"),
        ('{"id": "", "text": "x", "label": "a"}', "'id' is empty"),
        ('{"id": [1], "text": "x", "label": "a"}', "'id' must be a text, not [1]"),
        ('{"id": 9, "text": " \\n", "label": "a"}', "'text' is empty"),
        ('{"id": 9, "text": {"a": 1}, "label": "a"}', 'not {"a": 1}'),
        ('{"id": 9, "text": ["x"], "label": "a"}', 'not ["x"]'),
        ('{"id": 9, "text": NaN, "label": "a"}', "'text' is NaN"),
        ('{"id": 9, "text": "x", "label": "c"}', "no label is called 'c'; known: a, b"),
        ('{"id": 9, "text": "x", "label": "A"}', "no label is called 'A'"),
        ('{"id": 9, "text": "x", "label": ["a", "c"]}', "no label is called 'c'"),
        ('{"id": 9, "text": "x", "label": []}', "'label' holds no answer"),
        ('{"id": 9, "text": "x", "label": ""}', "'label' holds no answer"),
        ('{"id": 9, "text": "x", "label": true}', "no label is called 'true'"),
        ('{"id": 9, "text": "x", "label": NaN}', "'label' is NaN"),
        ('{"id": 9, "text": "x", "label": [["a"]]}', 'not [["a"]]'),
    ],
)
def test_a_bad_line_of_jsonl_is_told_with_its_number(tmp_path, line, words):
    path = write(tmp_path, test_jsonl=jsonl(GOOD) + "\n" + line + "\n")
    (fault,) = told(path)
    assert fault.startswith("test.jsonl:4: ")
    assert words in fault


def test_a_cell_of_csv_may_be_longer_than_the_module_allows_and_leaves_it_as_it_was(tmp_path):
    before, faults = csv.field_size_limit(), []
    (tmp_path / "long.csv").write_text(f"text,label\n{'x' * (before + 1)},a\nz,b\n")
    (first, second) = read_rows(tmp_path / "long.csv", faults)
    assert (len(first.values["text"]), second.values["text"], faults) == (before + 1, "z", [])
    assert csv.field_size_limit() == before


def test_every_bad_line_is_told(tmp_path):
    bad = "{\n" + '{"id": "%s", "text": "", "label": "a"}\n' + "7\n"
    path = write(tmp_path, train_jsonl=bad % "x", test_jsonl=bad % "y")
    assert sorted(line.split(": ")[0] for line in told(path)) == [
        f"{name}.jsonl:{number}" for name in ("test", "train") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("name", ["test.txt", "test.json", "test", ".", "t\0.jsonl", "no.jsonl"])
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path, name):
    lines = told(write(tmp_path, task_text(data=data(test=name))))
    assert len(lines) == 1
    assert "known format" in lines[0] or "cannot be read" in lines[0] or "path" in lines[0]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path, suffix):
    start = jsonl(rows("test", 3)) if suffix == "jsonl" else "id,text,label\n1,x,a\n2,y,b\n"
    text = task_text(data=data(test=f"test.{suffix}"))
    path = write(tmp_path, text, **{f"test_{suffix}": start.encode() + b'"\xe9\x81"\n'})
    (line,) = told(path)
    assert line.startswith(f"test.{suffix}:4: is neither UTF-8 text")
    assert "`read: {encoding: gb18030}`" in line


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_a_fault(tmp_path, content):
    assert told(write(tmp_path, test_jsonl=content)) == ["test.jsonl: has no rows → add rows"]


def test_text_is_kept_as_it_is_written(tmp_path):
    texts = ["naïve “quotes”", "😀", "line\u2028separator", "two\nlines", "  spaces  ", "日本語"]
    some = [{"id": i, "text": text, "label": "a"} for i, text in enumerate(texts)]
    task = load_task(write(tmp_path, test_jsonl="\ufeff" + jsonl(some)))
    assert [query.text for query in task.test.queries] == texts


def test_escaped_astral_characters_are_whole(tmp_path):
    line = '{"id": 1, "text": "\\ud83d\\ude00", "label": "a"}'
    assert load_task(write(tmp_path, test_jsonl=line)).test.queries[0].text == "😀"


def test_csv_and_jsonl_give_the_same_examples(tmp_path):
    lines = "".join(f"{row['id']},{row['text']},{row['label']}\r\n" for row in GOOD)
    path = write(tmp_path, CSV_TASK, test_csv="\ufeffid,text,label\r\n" + lines)
    from_csv = load_task(path)
    from_jsonl = load_task(write(tmp_path, test_jsonl=GOOD))
    assert from_csv.test.sha256 == from_jsonl.test.sha256


def test_a_csv_cell_may_hold_commas_quotes_and_lines(tmp_path):
    content = 'id,text,label\n1,"a, ""b""\nc",a\n\n2,x,c\n'
    (fault,) = told(write(tmp_path, CSV_TASK, test_csv=content))
    assert fault.startswith("test.csv:5: no label is called 'c'")
    assert read_rows(tmp_path / "test.csv", [])[0].values["text"] == 'a, "b"\nc'


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("id,text,label\n1,x\n", 2, "does not have 3 columns"),
        ("id,text,label\n1,x,a,b\n", 2, "does not have 3 columns"),
        ("id,text,label\n1,x,\n", 2, "'label' holds no answer"),
        ("id,text,label\n1,,a\n", 2, "'text' is empty"),
        ("id,text,label\n,x,a\n", 2, "'id' is empty"),
        ("id,text,text,label\n1,x,y,a\n", 1, "the column 'text' stands twice"),
        ('id,text,label\n1,"x"y,a\n', 2, "is not CSV"),
        ("id,text,label\n", None, "has no rows"),
        ("", None, "has no rows"),
    ],
)
def test_a_bad_csv_line_is_told_with_its_number(tmp_path, content, line, words):
    (fault,) = told(write(tmp_path, CSV_TASK, test_csv=content))
    assert fault.startswith(f"test.csv:{line}: " if line else "test.csv: ")
    assert words in fault


def test_an_unclosed_quote_is_not_csv(tmp_path):
    (fault,) = told(write(tmp_path, CSV_TASK, test_csv='id,text,label\n1,"x,a\n2,y,b\n'))
    assert "is not CSV" in fault


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=4,
)
COLUMNS = st.sampled_from(["id", "text", "label", "other"])


@settings(max_examples=40)
@given(st.lists(st.dictionaries(COLUMNS, VALUES, max_size=4), max_size=5))
def test_rows_of_any_json_load_or_are_faults_of_their_file(some):
    with tempfile.TemporaryDirectory() as folder:
        content = jsonl(some).encode("utf-8", "surrogatepass")
        faults = faults_of(write(Path(folder), test_jsonl=content))
        assert all(fault.where.startswith(f"{folder}/test.jsonl") for fault in faults)


@settings(max_examples=60)
@given(st.binary(max_size=80), st.sampled_from(["jsonl", "csv", "json"]))
def test_any_bytes_are_rows_or_faults(content, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"some.{suffix}"
        path.write_bytes(content)
        faults = []
        found = read_rows(path, faults)
        assert found or faults
        assert all(fault.where.startswith(str(path)) for fault in faults)
