"""What every reader of rows refuses or survives: pipes, NULs, long texts, bombs, names twice."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile

import pytest

from harness.errors import TaskError
from harness.task.rows import FORMATS, read_rows
from harness.task.rows import excel as excel_module
from harness.task.rows import parquet as parquet_module

pytestmark = pytest.mark.timeout(120)
LONG = "x" * 17 * 2**20
ENDINGS = [*FORMATS, *(f"{ending}.gz" for ending in FORMATS)]


def read(path, content=None):
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = []
    found = [row.values for row in read_rows(path, faults)]
    lines = str(TaskError(faults)).splitlines() if faults else []
    assert all(len(line.encode()) < 2100 for line in lines)
    return found, [line.replace(f"{path.parent}/", "") for line in lines]


def parquet(columns, names):
    """The bytes of a Parquet file of some columns."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    kept = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], names), kept)
    return kept.getvalue()


def excel(*lines):
    """The bytes of a workbook with one sheet."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def with_sheet(content, change):
    """A workbook whose sheet's XML is changed: no program writes such ones, people who mean ill do.

    Args:
        content: its bytes.
        change: from the XML of its sheet to another.
    """
    kept = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as parts,
        zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in parts.namelist():
            xml = parts.read(name)
            written.writestr(name, change(xml) if "sheets/sheet1" in name else xml)
    return kept.getvalue()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("device", [None, "/dev/zero", "/dev/stdin"])
def test_a_pipe_or_a_device_is_refused_whatever_its_ending(tmp_path, ending, device):
    file = tmp_path / f"a{ending}"
    file.symlink_to(device) if device else os.mkfifo(file)
    found, (line,) = read(file)
    assert found == []
    assert "it is a " in line


NULS = {
    "a.jsonl": '{"text": "x\0y"}\n',
    "a.json": '[{"text": "x\0y"}]',
    "a.csv": "text,label\nx\0y,a\n",
    "a.tsv": "text\tlabel\nx\0y\ta\n",
    "a.csv.gz": gzip.compress(b"text,label\nx\0y,a\n"),
    "a.parquet": b"\0" * 1000,
    "a.xlsx": b"\0" * 1000,
}


@pytest.mark.parametrize("name", NULS)
def test_a_nul_byte_is_refused(tmp_path, name):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    found, (line,) = read(tmp_path / name, NULS[name])
    assert found == []
    assert line.startswith(f"{'error: ' if line.startswith('error') else ''}{name}")
    assert " → " in line


def test_a_nul_that_is_written_as_one_is_a_character(tmp_path):
    assert read(tmp_path / "a.jsonl", '{"text": "x\\u0000y"}')[0] == [{"text": "x\0y"}]
    assert read(tmp_path / "a.parquet", parquet([["x\0y"]], ["text"]))[0] == [{"text": "x\0y"}]


LONG_TEXTS = {
    "a.jsonl": lambda: json.dumps({"text": LONG}),
    "a.json": lambda: json.dumps([{"text": LONG}]),
    "a.csv": lambda: f"text,label\n{LONG},a\n",
    "a.tsv": lambda: f"text\tlabel\n{LONG}\ta\n",
    "a.jsonl.gz": lambda: gzip.compress(json.dumps({"text": LONG}).encode(), 1),
    "a.parquet": lambda: parquet([[LONG]], ["text"]),
    "a.xlsx": lambda: with_sheet(
        excel(["text"], ["MARK"]),
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row></sheetData>'
            % LONG.encode(),
        ),
    ),
}


@pytest.mark.parametrize("name", LONG_TEXTS)
def test_a_text_of_17_mb_is_told_in_one_line(tmp_path, name):
    _, (line,) = read(tmp_path / name, LONG_TEXTS[name]())
    assert "more than 16,777,216" in line


TWICE = {
    "a.csv": lambda: "text,text\nx,y\n",
    "b.csv": lambda: "\u00e4,a\u0308\nx,y\n",
    "c.csv": lambda: "text, text \nx,y\n",
    "a.tsv": lambda: "text\ttext\nx\ty\n",
    "a.jsonl": lambda: '{"text": "x", "text": "y"}',
    "b.jsonl": lambda: '{"\u00e4": "x", "a\u0308": "y"}',
    "a.json": lambda: '[{"\u00e4": "x", "a\u0308": "y"}]',
    "a.parquet": lambda: parquet([["x"], ["y"]], ["text", "text"]),
    "b.parquet": lambda: parquet([["x"], ["y"]], ["\u00e4", "a\u0308"]),
    "a.xlsx": lambda: excel(["text", "text"], ["x", "y"]),
    "b.xlsx": lambda: excel(["\u00e4", "a\u0308 "], ["x", "y"]),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_column_that_stands_twice_is_refused_in_any_form(tmp_path, name):
    found, (line,) = read(tmp_path / name, TWICE[name]())
    assert found == []
    assert "stands twice" in line
    assert " → " in line


LINES = [{"text": "one\ntwo", "label": "a"}, {"text": 'three "3", four', "label": "b"}]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quoted_cell_may_go_over_lines(tmp_path, mark, end):
    quoted = [f'"{row["text"].replace(chr(34), chr(34) * 2)}"{mark}a' for row in LINES]
    found, said = read(tmp_path / "a.csv", end.join([f"text{mark}label", *quoted, ""]))
    assert ([row["text"] for row in found], said) == ([row["text"] for row in LINES], [])


def test_a_cell_of_a_sheet_may_go_over_lines(tmp_path):
    content = excel(["text", "label"], *([row["text"], row["label"]] for row in LINES))
    assert read(tmp_path / "a.xlsx", content) == (LINES, [])


def test_nulls_of_parquet_are_null_however_deep_they_lie(tmp_path):
    deep = [{"a": [None, {"b": None, "c": ["x", None]}]}, None, {"a": None}]
    columns = [["x", None, "z"], [1, None, 3], [["a", None], [], None], deep, [None] * 3]
    found, said = read(tmp_path / "a.parquet", parquet(columns, list("tnldx")))
    assert said == []
    assert found == [dict(zip("tnldx", cells, strict=True)) for cells in zip(*columns, strict=True)]


@pytest.mark.parametrize("shape", ["a list", "an object", "a map"])
def test_a_text_that_stands_in_many_lists_is_counted_in_each(tmp_path, monkeypatch, shape):
    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(parquet_module, "MOST_BYTES", 50 * 2**20)
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 500, pa.int32()), pa.array(["x" * 2**20]))
    places = pa.array(range(501), pa.int32())
    lists = pa.ListArray.from_arrays(places, once)
    shapes = {
        "a list": lambda: lists,
        "an object": lambda: pa.StructArray.from_arrays([lists], ["deep"]),
        "a map": lambda: pa.MapArray.from_arrays(places, pa.array(map(str, range(500))), lists),
    }
    content = parquet([shapes[shape]()], ["many"])
    assert len(content) < 10**5
    found, (line,) = read(tmp_path / "a.parquet", content)
    assert found == []
    assert "a.parquet: its lists hold more than 50 MiB of texts → write a smaller one" in line


def test_more_rows_or_cells_than_memory_holds_are_refused_by_what_parquet_says(
    tmp_path, monkeypatch
):
    content = parquet([["x"] * 10, ["y"] * 10], ["text", "label"])
    monkeypatch.setattr(parquet_module, "MOST_CELLS", 19)
    assert "more than 19 cells" in read(tmp_path / "a.parquet", content)[1][0]
    monkeypatch.setattr(parquet_module, "MOST_ROWS", 9)
    assert "more than 9 rows" in read(tmp_path / "a.parquet", content)[1][0]


def test_a_cell_far_to_the_right_makes_no_line_wider_than_memory(tmp_path, monkeypatch):
    far = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(3, 9))
    content = with_sheet(
        excel(["text"], ["x"]), lambda xml: xml.replace(b"</sheetData>", far + b"</sheetData>")
    )
    assert "beyond the 1 columns" in read(tmp_path / "a.xlsx", content)[1][0]
    monkeypatch.setattr(excel_module, "MOST_CELLS", 50_000)
    assert any("more than 50,000 cells" in line for line in read(tmp_path / "a.xlsx")[1])


ENTITY = b'<!ENTITY %c "%s">'
NESTED = b"".join(ENTITY % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9))
DECLARED = {
    "entities of entities": b'<!DOCTYPE x [<!ENTITY a "ha">%s]>' % NESTED,
    "a file of this machine": b'<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
}


@pytest.mark.parametrize("what", DECLARED)
def test_what_xml_declares_is_not_obeyed(tmp_path, what):
    cell = b'<row r="3"><c r="A3" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData>'

    def declare(xml):
        body = xml.split(b"?>", 1)[1] if xml.startswith(b"<?xml") else xml
        return DECLARED[what] + body.replace(b"</sheetData>", cell)

    found, said = read(tmp_path / "a.xlsx", with_sheet(excel(["text"], ["x"]), declare))
    assert "root:" not in str(found)
    assert len(str(found)) < 1000
    assert said
