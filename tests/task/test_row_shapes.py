"""Files of rows as people have them: read, or refused in one line that names the cause."""

import gzip
import json

import pytest
from remedies import faults_after_following
from task_folder import data, faults_of, jsonl, task_text, told, write

from harness.errors import MOST_BYTES, TaskError
from harness.task import load_task
from harness.task.rows import read_rows

ROWS = [{"text": f'so "much", {i}; it is\ttext', "label": "ab"[i % 2]} for i in range(12)]


def delimited(mark, rows=ROWS, end="\n", top=""):
    cells = [list(rows[0]), *([row[column] for column in row] for row in rows)]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in line] for line in cells[1:]]
    return top + "".join(mark.join(line) + end for line in [cells[0], *quoted])


def read(folder, name, content):
    """The values and lines of what is read, and the lines of what is said."""
    content = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(content)
    faults = []
    found = read_rows(folder / name, faults)
    said = str(TaskError(faults)).replace(f"{folder}/", "").splitlines() if faults else []
    return found, said


ARRAY = json.dumps(ROWS)
PRETTY = json.dumps(ROWS, indent=1)
READ = [
    ("a.json", ARRAY),
    ("a.json", PRETTY),
    ("a.jsonl", ARRAY),
    ("a.jsonl", PRETTY),
    ("a.jsonl", "\ufeff\n " + PRETTY + "\n"),
    ("a.json", jsonl(ROWS)),
    ("a.jsonl", jsonl(ROWS).replace("\n", "\r\n")),
    ("a.JSONL", jsonl(ROWS)),
    ("a.csv", delimited(",")),
    ("a.csv", delimited(";")),
    ("a.csv", delimited("\t")),
    ("a.csv", delimited("|")),
    ("a.CSV", "\ufeff" + delimited(";", end="\r\n")),
    ("a.csv", delimited(",", top="sep=,\r\n", end="\r\n")),
    ("a.csv", delimited(";", top="\ufeffsep=;\n")),
    ("a.csv", delimited("~", top='"sep=~"\n')),
    ("a.csv", delimited(",", end="\r")),
    ("a.csv", delimited(",") + ",\n,\n"),
    ("a.csv", delimited(",").replace("text,label", " text , label ")),
    ("a.tsv", delimited("\t")),
    ("a.tsv", delimited(",")),
    ("a.json", json.dumps({"version": 2, "data": ROWS}, indent=1)),
    ("a.jsonl", json.dumps({"data": ROWS, "tags": ["x"]})),
    ("a.csv", b"\xff\xfe" + delimited(",").encode("utf-16-le")),
    ("a.jsonl", b"\xfe\xff" + jsonl(ROWS).encode("utf-16-be")),
    ("a.tsv", delimited("\t").encode("utf-16-le")),
    ("a.ndjson", jsonl(ROWS)),
    ("a.jsonl.gz", gzip.compress(jsonl(ROWS).encode(), mtime=0)),
    ("a.CSV.GZ", gzip.compress(delimited(";").encode("utf-16"), mtime=0)),
]


@pytest.mark.parametrize(("name", "content"), READ)
def test_rows_are_the_same_however_the_file_writes_them(tmp_path, name, content):
    found, said = read(tmp_path, name, content)
    assert said == []
    assert [row.values for row in found] == ROWS


def test_a_cell_with_a_stray_quote_is_read_where_the_cell_does_not_begin_with_it(tmp_path):
    found, said = read(tmp_path, "a.csv", 'label\ttext\nham\thi there, you\nspam\twin "now\n')
    assert said == []
    assert [row.values["text"] for row in found] == ["hi there, you", 'win "now']


def test_the_rows_of_an_array_have_the_lines_where_they_begin(tmp_path):
    found, _ = read(tmp_path, "a.json", json.dumps(ROWS[:3], indent=1))
    assert [row.where.rsplit(":", 1)[1] for row in found] == ["2", "6", "10"]


def test_a_csv_below_its_sep_line_has_the_lines_of_the_file(tmp_path):
    found, said = read(tmp_path, "a.csv", "sep=;\ntext;label\nx;a\ny;b;c\n")
    assert [row.where.rsplit(":", 1)[1] for row in found] == ["3"]
    assert said[0].startswith("a.csv:4: does not have 2 columns")


PYTHON = "".join(f"{row}\n" for row in [{"text": "it", "ok": True, "no": None}] * 12)
REFUSED = [
    ("a.jsonl", PYTHON, "is a Python dict, not JSON → write JSON"),
    ("a.json", PYTHON.replace("'", '"'), "is a Python dict"),
    ("a.jsonl", "\n".join(json.dumps(row, indent=1) for row in ROWS), "over several lines"),
    ("a.jsonl", "\n".join(json.dumps(row, indent=1) for row in ROWS).replace('"', "'"), "several"),
    ("a.jsonl", "".join(map(json.dumps, ROWS)), "several JSON objects on one line"),
    ("a.jsonl", ", ".join(map(json.dumps, ROWS)), "several JSON objects on one line"),
    ("a.jsonl", "".join(json.dumps(row) + ",\n" for row in ROWS), "ends with a comma"),
    ("a.jsonl", '{"text": "x", "label": "a", "label": "b"}\n' * 12, 'key "label" stands twice'),
    ("a.json", '[{"text": "x", "label": "a", "label": "b"}]', 'key "label" stands twice'),
    ("a.jsonl", delimited(","), "→ name the file .csv"),
    ("a.jsonl", delimited("\t"), "→ name the file .csv (or .tsv"),
    ("a.csv", jsonl(ROWS), "holds JSON, not delimited text → name the file .jsonl"),
    ("a.csv", ARRAY, "holds JSON"),
    ("a.jsonl", ARRAY + "\n" + ARRAY, "goes on after the end of its JSON array"),
    ("a.json", ARRAY[:-9], "is not a JSON array"),
    ("a.json", "[1, 2, 3]", "is not a JSON object"),
    ("a.csv", 'text,label\n"say \\"hi\\" now",a\n' * 9, 'a quote inside a cell is written \\"'),
    ("a.csv", "text,label\nx,a,more\n" * 9, "does not have 2 columns"),
    ("a.tsv", 'text\tlabel\n"open\ta\n' + "x\ta\n" * 9, "a quote opens in this row and never"),
]


@pytest.mark.parametrize(("name", "content", "words"), REFUSED)
def test_what_cannot_be_read_is_one_line_with_its_cause_and_a_remedy(
    tmp_path, name, content, words
):
    _, said = read(tmp_path, name, content)
    (line,) = said if "[1, 2" not in str(content) else said[:1]
    assert line.startswith(f"{name}")
    assert words in line
    assert " → " in line
    assert len(line) < 400


def test_an_unclosed_quote_is_told_where_it_opens(tmp_path):
    _, (line,) = read(tmp_path, "a.csv", 'text,label\nx,a\n"y,b\n' + "z,a\n" * 50)
    assert line.startswith("a.csv:3: ")


def test_a_line_of_50_mb_is_told_in_2_kb(tmp_path):
    for content in ('{"text": "' + "x" * 50_000_000, '{"text": ["' + "x" * 5_000_000 + '"]}'):
        path = write(tmp_path, test_jsonl=content + "\n")
        with pytest.raises(TaskError) as caught:
            load_task(path)
        assert all(len(line.encode()) <= MOST_BYTES for line in str(caught.value).splitlines())


def test_a_file_that_is_not_there_is_told_with_those_that_are(tmp_path):
    (line,) = told(write(tmp_path, task_text(data=data(test="tset.jsonl"))))
    assert "did you mean 'test.jsonl'?" in line


def test_numbers_and_booleans_of_rows_are_labels_as_the_file_writes_them(tmp_path):
    labels = ["true", "false", "1.10", "1.1", "1e5", "7"]
    text = task_text(answer={"kind": "choice", "labels": labels})
    lines = "".join(f'{{"text": "x{at}", "label": {one}}}\n' for at, one in enumerate(labels))
    path = write(tmp_path, text, train_jsonl=lines, test_jsonl=lines)
    assert [example.targets for example in load_task(path).test] == [(one,) for one in labels]


@pytest.mark.parametrize("word", ["01", "007", "+1", ".5", "0x1F", "1_000", "2024-01-01", "ham"])
@pytest.mark.parametrize("form", ['{{"text": "x", "label": {}}}', '[{{"label": {}, "text": "x"}}]'])
def test_a_word_without_quotes_in_json_is_a_label_once_it_is_quoted_as_told(tmp_path, word, form):
    text = task_text(answer={"kind": "choice", "labels": [word, "b"]})
    train = [{"text": "y", "label": "b"}]
    path = write(tmp_path, text, train_jsonl=train, test_jsonl=form.format(word))
    assert faults_after_following(path) == []
    assert load_task(path).test[0].targets == (word,)


def test_a_label_that_python_wrote_is_told_with_the_one_that_is_meant(tmp_path):
    text = task_text(
        answer={"kind": "choice", "labels": ["true", "false"]}, data=data(test="test.csv")
    )
    train = [{"text": "x", "label": True}]
    path = write(tmp_path, text, train_jsonl=train, test_csv="text,label\nx,True\ny,False\n")
    lines = [str(fault) for fault in faults_of(path)]
    assert "did you mean 'true'?" in lines[0]
