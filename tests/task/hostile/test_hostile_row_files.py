"""Files of rows that are huge, deep, torn or of impossible numbers."""

from __future__ import annotations

import json

import pytest
from command_line import harness
from task_folder import data, faults_of, nested, task_text, write

pytestmark = pytest.mark.timeout(120)
HUGE = 10**6


def row(label="a", text="words"):
    return json.dumps({"id": "x", "text": text, "label": label})


ROW_FILES = {
    "nested lists": ("test.jsonl", '{"text": ' + nested("[", "]") + "}", "JSON"),
    "nested objects": ("test.jsonl", nested('{"a":', "}"), "JSON"),
    "an array of arrays": ("test.json", nested("[", "]"), "JSON"),
    "open brackets": ("test.json", "[" * HUGE, "JSON"),
    "a number beyond floats": ("test.jsonl", '{"id": "x", "text": 1e400, "label": "a"}', "text"),
    "a number of 5,000 digits": (
        "test.jsonl",
        '{"id": "x", "text": 1' + "0" * 5000 + ', "label": "a"}',
        "digits",
    ),
    "a number of 4,000 digits": (
        "test.jsonl",
        '{"id": "x", "text": 1' + "0" * 4000 + ', "label": "a"}',
        None,
    ),
    "infinity": ("test.jsonl", '{"id": "x", "text": Infinity, "label": "a"}', "text"),
    "a text of 17 MB": ("test.jsonl", row(text="a" * 17 * 2**20), "more than 16,777,216"),
    "a line of 65 MB": ("test.jsonl", "a" * 65 * 2**20, "a line of more than 64 MiB"),
    "a cell of 17 MB": (
        "test.csv",
        "text,label\n" + "a" * 17 * 2**20 + ",a\n",
        "a cell has more than",
    ),
    "a cell over lines": (
        "test.csv",
        'text,label\n"' + "abc\n" * 5 * 2**20 + '",a\n',
        "a cell has more than",
    ),
    "a quote that never closes": ("test.csv", 'text,label\n"a,a\n' + "b,a\n" * 10**5, "closes"),
    "100,000 columns": (
        "test.csv",
        "text,label," + ",".join(f"c{n}" for n in range(10**5)) + "\na,a\n",
        "columns",
    ),
    "no line but ends": ("test.csv", "text,label\n" + "\r" * HUGE, "no rows"),
    "zeros": ("test.jsonl", "\0" * HUGE, "JSON"),
    "a key a million times": (
        "test.jsonl",
        '{"id": "x", ' + '"text": "a", ' * 20_000 + '"label": "a"}',
        "stands twice",
    ),
    "open quotes": ("test.jsonl", '{"a": "' * 100_000, "JSON"),
    "backslashes": ("test.jsonl", '{"text": "' + "\\" * HUGE, "JSON"),
    "blank lines": ("test.jsonl", "\n" * HUGE, "no rows"),
    "open braces": ("test.jsonl", "{" * HUGE, "JSON"),
    "combining marks": ("test.jsonl", row(text="a" + "\u0301" * 200_000), None),
}


@pytest.mark.parametrize("what", ROW_FILES)
def test_a_file_of_rows_is_refused_or_read_right(tmp_path, what):
    name, content, said = ROW_FILES[what]
    path = write(tmp_path, task_text(data=data(test=name)))
    (tmp_path / name).write_text(content, encoding="utf-8")
    told = [str(fault) for fault in faults_of(path)]
    if said is None:
        assert told == []
        done = harness("run", path, "--out", tmp_path / "run")
        assert done.returncode == 0, done.stderr
    else:
        assert any(word in line for line in told for word in said.split("|")), told
        assert all(len(line.encode()) < 2100 for line in told)
