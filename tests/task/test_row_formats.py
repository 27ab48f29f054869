"""Formats of rows: each is read as whoever wrote it would read it, or refused with its row."""

import gzip
import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_folder import data, jsonl, task_text, told, write

from harness.task import load_task
from harness.task.rows import Reading, read_rows
from harness.task.rows import content as content_module

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

ROWS = [{"text": f"so, {i}", "label": "ab"[i % 2]} for i in range(6)]


def read(path, **keys):
    faults, reading = [], Reading(**keys)
    found = read_rows(path, faults, reading=reading)
    return [row.values for row in found], [str(fault) for fault in faults], list(reading.findings())


def saved(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Line ends are the file's own in CSV, and a lone carriage return is one; Excel allows no control
# characters and has "_x000D_" for some: texts of these are made without.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), min_size=1
).filter(lambda text: text.strip() and "_x" not in text)
TABLES = st.lists(
    st.fixed_dictionaries({"text": TEXTS, "n": st.integers(-(2**40), 2**40), "ok": st.booleans()}),
    min_size=1,
    max_size=5,
)
WRITERS = {
    "a.parquet": lambda frame, path: frame.to_parquet(path),
    "a.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "a.jsonl.gz": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "a.json": lambda frame, path: frame.to_json(path, orient="records"),
    "a.xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "a.csv": lambda frame, path: frame.to_csv(path, index=False),
    "a.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "a.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "semicolon.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";"),
    "wide.csv": lambda frame, path: frame.to_csv(path, index=False, encoding="utf-16"),
}


@pytest.mark.parametrize("name", WRITERS)
@given(table=TABLES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_pandas_writes_is_read_back_equal(tmp_path, name, table):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    WRITERS[name](pandas.DataFrame(table), tmp_path / name)
    found, faults, _ = read(tmp_path / name)
    assert faults == []
    if "csv" in name or "tsv" in name:  # a table of texts: what it writes, letter by letter
        table = [{key: str(value) for key, value in row.items()} for row in table]
    assert found == table


@pytest.mark.parametrize("orient", ["columns", "index", "values", "split", "table"])
def test_other_layouts_of_pandas_are_read_or_refused(tmp_path, orient):
    pandas.DataFrame(ROWS).to_json(tmp_path / "a.json", orient=orient)
    path = write(tmp_path, task_text(data=data(test="a.json", id=None)))
    lines = told(path)
    assert lines == [] if orient == "table" else lines
    if not lines:
        assert [row.query.text for row in load_task(path).test] == [row["text"] for row in ROWS]


@given(
    table=st.lists(
        st.fixed_dictionaries(
            {
                "text": TEXTS | st.none(),
                "deep": st.fixed_dictionaries({"at": st.lists(st.integers(0, 9) | st.none())}),
                "many": st.lists(TEXTS | st.none(), max_size=3) | st.none(),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_what_pyarrow_writes_is_read_back_equal_with_nulls_and_lists(tmp_path, name, table):
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pa.Table.from_pylist(table)
    if name == "a.parquet":
        pq.write_table(whole, tmp_path / name)
    else:
        (tmp_path / name).write_text(jsonl(whole.to_pylist()), encoding="utf-8")
    assert read(tmp_path / name) == (whole.to_pylist(), [], [])


def test_class_numbers_have_the_names_that_the_file_gives(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    features = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    table = pa.table({"label": [1, 0, -1]}).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found, _, said = read(tmp_path / "a.parquet")
    assert [row["label"] for row in found] == ["yes", "no", None]
    assert "holds numbers of classes" in said[0]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", "UTF-16"), ("cp1252", "windows-1252")],
)
def test_an_encoding_is_found_and_told(tmp_path, encoding, said):
    text = "text,label\nfür dich – 5 €,a\n" * 1 + "plain,b\n"
    found, faults, findings = read(saved(tmp_path, "a.csv", text.encode(encoding)))
    assert (found[0]["text"], faults) == ("für dich – 5 €", [])
    assert [f"read as {said}" in one for one in findings] == ([] if said is None else [True])


def test_what_is_no_western_text_is_refused_until_its_encoding_is_named(tmp_path):
    path = saved(tmp_path, "a.csv", "text,label\n文本分类任务,a\n".encode("gb18030"))
    assert "neither UTF-8" in read(path)[1][0]
    assert read(path, encoding="gb18030")[0] == [{"text": "文本分类任务", "label": "a"}]


def test_utf8_with_one_broken_byte_is_never_read_as_something_else(tmp_path):
    path = saved(tmp_path, "a.csv", "text,label\nüber für,a\n".encode() + b"\xfc,a\n")
    assert read(path)[1][0].startswith(f"{path}:3: is not UTF-8 text")


def test_a_delimiter_is_found_and_told_or_named(tmp_path):
    path = saved(tmp_path, "a.csv", "text;label\nx;a\n")
    found, _, (said,) = read(path)
    assert found == [{"text": "x", "label": "a"}]
    assert said.startswith("a.csv: a semicolon stands between the cells")
    path = saved(tmp_path, "b.csv", "text^label\nx^a\n")
    assert read(path, delimiter="^") == ([{"text": "x", "label": "a"}], [], [])


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_without_a_header_columns_have_numbers(tmp_path, name):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    frame = pandas.DataFrame([["x", "a"], ["y", "b"]])
    if name == "a.csv":
        frame.to_csv(tmp_path / name, index=False, header=False)
    else:
        frame.to_excel(tmp_path / name, index=False, header=False)
    found, faults, _ = read(tmp_path / name, header=False)
    assert (found, faults) == ([{"1": "x", "2": "a"}, {"1": "y", "2": "b"}], [])


BAD = [
    ("a.csv", "text,text\nx,y\n", "a.csv:1: the column 'text' stands twice"),
    ("a.csv", "text,label\nx\0y,a\n", "a.csv:2: holds a NUL"),
    ("a.jsonl.gz", gzip.compress(jsonl(ROWS).encode(), mtime=0)[:-9], "it is not whole gzip"),
    ("a.jsonl.gz", b"plain", "it is not whole gzip"),
    ("a.parquet", b"PAR1 no", "is not Parquet that can be read"),
    ("a.xlsx", b"PK no", "is not an Excel file that can be read"),
    ("a.xls", b"", "save it as .xlsx"),
    ("a.zip", b"", "unpack it"),
    ("a.json", '{"a": [{"x": 1}], "b": [{"x": 1}]}', "`read: {rows: a}`"),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD)
def test_what_cannot_be_read_is_told(tmp_path, name, content, words):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    found, faults, _ = read(saved(tmp_path, name, content))
    assert found == []
    assert words in faults[0]


def test_the_list_of_rows_is_named_where_there_are_several(tmp_path):
    path = saved(tmp_path, "a.json", json.dumps({"a": [{"x": 1}], "b": {"c": [{"x": 2}]}}))
    assert read(path)[0] == [{"x": 1}]
    assert read(path, rows="b.c")[0] == [{"x": 2}]
    assert "no list of rows is called 'd'" in read(path, rows="d")[1][0]


def test_a_sheet_is_named_where_several_have_cells(tmp_path):
    pytest.importorskip("openpyxl")
    with pandas.ExcelWriter(tmp_path / "a.xlsx") as book:
        pandas.DataFrame(ROWS).to_excel(book, sheet_name="one", index=False)
        pandas.DataFrame(ROWS[:2]).to_excel(book, sheet_name="two", index=False)
    assert "several sheets with cells: 'one', 'two'" in read(tmp_path / "a.xlsx")[1][0]
    for sheet in ("two", 2):
        assert read(tmp_path / "a.xlsx", sheet=sheet)[0] == ROWS[:2]


def test_a_gzip_bomb_stops_at_the_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(content_module, "MOST_BYTES", 3 * 2**20)
    path = saved(tmp_path, "a.csv.gz", gzip.compress(b"x,y\n" * 2**20))
    assert "unpacks to more than 3 MiB" in read(path)[1][0]
    monkeypatch.setattr(content_module, "LONGEST_LINE", 2**20)
    path = saved(tmp_path, "a.jsonl.gz", gzip.compress(b"x" * 2**22))
    assert "a line of more than 1 MiB" in read(path)[1][0]


def test_an_excel_bomb_is_refused_by_the_sizes_that_it_says(tmp_path):
    pytest.importorskip("openpyxl")
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book,
        book.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(257):
            part.write(bytes(2**20))
    path = saved(tmp_path, "a.xlsx", packed.getvalue())
    assert "larger than 256 MiB once it is unpacked" in read(path)[1][0]


def test_texts_that_parquet_keeps_once_are_kept_once(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    same = "word " * 200_000  # a megabyte, 3,000 times: three gigabytes once they are unpacked
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), pa.array([same]))
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    found, faults, _ = read(tmp_path / "a.parquet")
    assert faults == []
    assert len({id(row["text"]) for row in found}) == 1


def test_a_pattern_and_a_list_are_one_split_in_order(tmp_path):
    parts = {f"part-{n}.jsonl": [{"id": n, "text": f"x{n}", "label": "a"}] for n in (1, 2, 10)}
    for name, some in parts.items():
        (tmp_path / name).write_text(jsonl(some))
    text = task_text(data=data(train=["train.jsonl", "part-*.jsonl"]))
    task = load_task(write(tmp_path, text))
    assert [row.query.id for row in task.train][-3:] == ["1", "2", "10"]
    (line, *_) = told(write(tmp_path, task_text(data=data(test="parts-*.jsonl"))))
    assert line.startswith("parts-*.jsonl: no file fits this pattern")


def test_labels_are_found_in_the_training_rows_and_told(tmp_path):
    task = load_task(write(tmp_path, task_text(answer={"kind": "choice"})))
    assert list(task.labels) == ["a", "b"]
    said = [one.text for one in task.remarks if "none are listed" in one.text]
    assert said == [
        "answer.labels: none are listed; 2 are found in the training rows: a (4), b (4)"
    ]


def test_a_label_of_test_rows_alone_is_told(tmp_path):
    test = [{"text": "x", "label": "c"}]
    (line,) = told(write(tmp_path, task_text(answer={"kind": "choice"}), test_jsonl=test))
    assert line.startswith("test.jsonl:1: no label is called 'c'")


def test_dotted_paths_lead_into_lists_and_objects(tmp_path):
    some = [
        {"q": {"text": f"x{n}"}, "answers": [{"text": "ab"[n % 2]}, {"text": "b"}]} for n in (0, 1)
    ]
    text = task_text(
        answer={"kind": "text"},
        data=data(input="q.text", target="answers.0.text"),
        metric="exact_match",
    )
    task = load_task(write(tmp_path, text, train_jsonl=some, test_jsonl=some))
    assert [(row.query.text, row.targets) for row in task.test] == [("x0", ("a",)), ("x1", ("b",))]
    text = task_text(
        answer={"kind": "text"},
        data=data(input="q.text", target="answers.text"),
        metric="exact_match",
    )
    task = load_task(write(tmp_path, text, train_jsonl=some, test_jsonl=some))
    assert task.test[0].targets == ("a", "b")


def test_a_corpus_may_have_columns_of_other_names(tmp_path):
    (tmp_path / "docs.jsonl").write_text(jsonl([{"key": 7, "page": {"body": "words"}}]))
    corpus = {"file": "docs.jsonl", "id": "key", "text": "page.body"}
    (document,) = load_task(write(tmp_path, task_text(data=data(corpus=corpus)))).documents
    assert (document.id, document.text) == ("7", "words")


def test_squads_articles_are_rows_of_questions(tmp_path):
    qas = [
        {"id": "q1", "question": "who?", "answers": [{"text": "Ann", "answer_start": 0}] * 2},
        {"id": "q2", "question": "when?", "answers": [], "is_impossible": True},
    ]
    squad = {
        "version": "v2.0",
        "data": [{"title": "T", "paragraphs": [{"context": "C", "qas": qas}]}],
    }
    (tmp_path / "squad.json").write_text(json.dumps(squad))
    text = task_text(
        answer={"kind": "text", "no_answer": "unanswerable"},
        data={
            "train": "squad.json",
            "test": "squad.json",
            "input": "question",
            "target": "answers",
            "visible": ["context"],
            "id": None,
        },
        metric="exact_match",
    )
    task = load_task(write(tmp_path, text))
    assert [row.targets for row in task.test] == [("Ann", "Ann"), ("unanswerable",)]
    assert task.test[0].query.fields == {"context": "C"}


def test_rows_of_a_pipe_are_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.csv.gz")
    assert "it is a pipe" in read(tmp_path / "a.csv.gz")[1][0]
