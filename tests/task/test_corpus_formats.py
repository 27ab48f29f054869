"""Documents as HTML and PDF: what of them is text, and what cannot be read."""

import pytest
from pdf_file import pdf

from harness.files.hashing import sha256_of
from harness.retrieval import cut
from harness.task.corpus import read_corpus

PAGE = """<!DOCTYPE html><html><head><title> Brake
 manual </title><style>p {color: red}</style><script>var x = "hidden";</script></head>
<body><nav><a href="/">Home</a></nav><div role="navigation">Menu</div>
<h1>Brakes</h1><!-- a remark -->
<p>They <b>squ</b>eak,
   often.<br>Oil them.</p><h2>Front <i>wheel</i></h2><ul><li>Bolt<li>Nut</ul>
<table><tr><th>Part<th>Price</tr><tr><td>Bolt</td><td>2</td></tr></table>
<pre>a = 1
# no heading
  b = 2</pre><noscript>Switch it on</noscript><h3> </h3><p>Water: H<sub>2</sub>O &amp; ice</p>
</body></html>"""


def document_of(folder, name: str, content: bytes):
    (folder / name).write_bytes(content)
    faults = []
    (document,) = read_corpus(folder, faults).documents
    assert faults == []
    return document


def skipped_of(folder, name: str, content: bytes):
    (folder / name).write_bytes(content)
    (folder / "good.txt").write_text("good")
    (skipped,) = read_corpus(folder, []).skipped
    assert skipped.where == name
    return skipped.why


def test_a_page_becomes_markdown_without_scripts_styles_and_navigation(tmp_path):
    document = document_of(tmp_path, "p.html", PAGE.encode())
    assert (document.id, document.title) == ("p", "Brake manual")
    lines = [line.strip() for line in document.text.splitlines() if line.strip()]
    assert lines == [
        "# Brakes",
        "They squeak, often.",
        "Oil them.",
        "## Front wheel",
        "Bolt",
        "Nut",
        "| Part | Price |",
        "| --- | --- |",
        "| Bolt | 2 |",
        "```",
        "a = 1",
        "# no heading",
        "b = 2",
        "```",
        "Water: H2O & ice",
    ]


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (
            "<table><caption>Fees</caption><thead><tr><th>Kg</th><th>Euro</th></tr></thead><tbody>"
            "<tr><td>up to <b>2</b></td><td><p>4_50</p><p>*net*</p></td></tr></tbody></table>",
            ["Fees", "| Kg | Euro |", "| --- | --- |", "| up to 2 | 4_50 *net* |"],
        ),
        (
            "<table><tr><td>a<td>b<tr><td>c<!-- no --><td>d<script>x</script></table>",
            ["| a | b |", "| --- | --- |", "| c | d |"],
        ),
        (
            '<table><tr><th colspan="2">Both</th></tr><tr><td>a<br>b</td><td>c|d</td></tr></table>',
            ["| Both | |", "| --- | --- |", "| a b | c|d |"],
        ),
        ("<table><tr><td>a<b>b<td>c</table>", ["| ab | c |", "| --- | --- |"]),
        ("<table><tr><td><h2>Bolt</h2>Tight.</td></tr></table>", ["## Bolt", "Tight."]),
        (
            "<table><tr><td>Left<td><table><tr><td>a</td><td>b</td></tr></table></td></table>",
            ["Left", "| a | b |", "| --- | --- |"],
        ),
    ],
)
def test_a_table_keeps_its_rows_and_columns_unless_it_only_arranges_the_page(
    tmp_path, table, lines
):
    text = document_of(tmp_path, "t.html", f"<p>Before.</p>{table}After.".encode()).text
    assert [line.strip() for line in text.splitlines() if line.strip()] == [
        "Before.",
        *lines,
        "After.",
    ]


def test_a_cell_nested_without_end_is_read(tmp_path):
    page = b"<table><tr><td>" + b"<b>x" * 20_000 + b"</table>"
    assert document_of(tmp_path, "p.html", page).text.count("x") == 20_000


def test_a_table_whose_rows_are_never_closed_is_read_row_by_row(tmp_path):
    page = b"<table>" + b"<tr><td>a<td>b" * 3_000 + b"</table>"
    assert document_of(tmp_path, "p.html", page).text.count("| a | b |") == 3_000


def test_passages_of_a_page_are_cut_at_its_headings(tmp_path):
    document = document_of(tmp_path, "p.html", PAGE.encode())
    assert [passage.heading for passage in cut([document], 80, 0)] == [
        "Brakes",
        "Brakes › Front wheel",
    ]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<h1>The <i>first</i></h1><h1>Second</h1>x", "The first"),
        ("x", "p"),
        ("<title> </title><h1>The first</h1>x", "The first"),
    ],
)
def test_a_page_without_a_title_takes_its_first_heading_or_its_name(tmp_path, page, title):
    assert document_of(tmp_path, "p.htm", page.encode()).title == title


@pytest.mark.parametrize(
    "content",
    [
        '<meta charset="iso-8859-1"><p>Bär'.encode("latin-1"),
        "<p>Bär".encode(),
        "<p>Bär".encode("utf-16"),
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p>Bär</p></html>'.encode(),
    ],
)
def test_a_page_is_decoded_as_it_says(tmp_path, content):
    assert document_of(tmp_path, "p.html", content).text == "Bär"


def test_a_page_nested_without_end_is_read(tmp_path):
    document = document_of(tmp_path, "p.html", b"<div><p>x" * 20_000)
    assert document.text.count("x") == 20_000


@pytest.mark.parametrize("content", [b"<p>Some words\0", bytes(range(128, 256)) * 4])
def test_bytes_called_a_page_are_skipped(tmp_path, content):
    assert "not UTF-8 text" in skipped_of(tmp_path, "p.html", content)


def test_a_page_of_scripts_alone_holds_no_text(tmp_path):
    assert "no text" in skipped_of(tmp_path, "p.html", b"<title>T</title><script>x</script>")


def test_a_pdf_is_read_page_by_page(tmp_path):
    document = document_of(tmp_path, "manual.pdf", pdf("Oil the chain.", "", "Check the lights."))
    assert (document.id, document.title) == ("manual", "manual")
    assert document.text == "Oil the chain.\n\nCheck the lights."


def test_a_pdf_that_anybody_may_open_is_read(tmp_path):
    assert document_of(tmp_path, "a.pdf", pdf("Open.", password="")).text == "Open."


@pytest.mark.parametrize(
    ("halves", "text"),
    [
        ({"b": "D83D"}, "a\ufffdc"),
        ({"b": "DE00"}, "a\ufffdc"),
        ({"a": "D83D", "b": "DE00"}, "😀c"),
    ],
)
def test_half_a_character_that_a_pdf_claims_can_be_written(tmp_path, halves, text):
    document = document_of(tmp_path, "a.pdf", pdf("abc", read_as=halves))
    assert document.text == text
    assert sha256_of(document.text)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "damaged"),
        (b"<html>no pdf", "damaged"),
        (pdf("Oil the chain.")[:200], "damaged"),
        (
            pdf("Oil.").replace(b"/Pages", b"/Sages").replace(b"/Kids", b"/Lids"),
            "damaged",
        ),
        (pdf("Oil.", password="key"), "encrypted"),
        (pdf("", ""), "no text"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_skipped_with_its_reason(tmp_path, content, why):
    assert skipped_of(tmp_path, "a.pdf", content).startswith(why)
