"""The corpus: a folder of files or a file of rows, read whole, with its faults and findings."""

import pytest
from pdf_file import pdf
from sentences import sentences
from task_folder import data, jsonl, task_text, told, write

from harness.task import limited, load_task
from harness.task.corpus import Corpus, read_corpus


def read(path) -> Corpus:
    """Read what must have no fault."""
    faults = []
    corpus = read_corpus(path, faults)
    assert faults == []
    return corpus


def faults_of_corpus(path) -> list[str]:
    faults = []
    read_corpus(path, faults)
    return [str(fault).replace(f"{path.parent}/", "") for fault in faults]


def test_a_folder_is_read_in_order_with_titles_and_paths_as_ids(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.md").write_text("# Brakes #\nSqueak.")
    (tmp_path / "a.txt").write_text("No heading.")
    (tmp_path / "deep" / "c.MD").write_bytes("\ufeff## Bolt\r\nTurn.".encode())
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / "long.txt").write_text("# " + "long " * 99)
    corpus = read(tmp_path)
    assert [(d.id, d.title) for d in corpus.documents] == [
        ("a", "a"),
        ("b", "Brakes"),
        ("deep/c", "Bolt"),
        ("long", "long"),
    ]
    assert corpus.documents[2].text == "## Bolt\nTurn."
    assert [skipped.where for skipped in corpus.skipped] == ["empty.md"]
    assert corpus.unread == ("1 .png",)


def test_every_format_stands_in_one_folder(tmp_path):
    (tmp_path / "a.txt").write_text("plain")
    (tmp_path / "b.htm").write_text("<p>page")
    (tmp_path / "c.pdf").write_bytes(pdf("printed"))
    (tmp_path / "d.csv").write_text("id,text\nrow,cell\n")
    (tmp_path / "e.jsonl").write_text('{"text": "line"}\n')
    texts = {document.id: document.text for document in read(tmp_path).documents}
    assert texts == {"a": "plain", "b": "page", "c": "printed", "row": "cell", "e-1": "line"}


def test_a_jsonl_corpus_takes_id_title_and_text_where_they_are(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(jsonl([{"id": 7, "title": "T", "text": "x"}, {"text": "y"}, {"text": None}]))
    corpus = read(path)
    found = [(d.id, d.title, d.text, d.allow) for d in corpus.documents]
    assert found == [("7", "T", "x", None), ("c-2", "", "y", None)]
    assert [skipped.where for skipped in corpus.skipped] == ["c.jsonl:3"]


def test_allow_is_a_list_in_jsonl_and_has_semicolons_in_csv(tmp_path):
    some = [{"text": "x", "allow": ["hr", "it "]}, {"text": "y", "allow": []}, {"text": "z"}]
    (tmp_path / "c.jsonl").write_text(jsonl([*some, {"text": "0", "allow": None}]))
    (tmp_path / "c.csv").write_text("text,allow\nx,hr; it ;\ny,\n")
    allowed = [[d.allow for d in read(tmp_path / f"c.{s}").documents] for s in ("jsonl", "csv")]
    assert allowed == [[("hr", "it"), (), None, None], [("hr", "it"), None]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": "x", "allow": "hr"}, "'allow' must be a list of texts, not \"hr\""),
        ({"text": "x", "allow": [1]}, "'allow' must be a list of texts, not [1]"),
        ({"text": "x", "allow": [" "]}, "'allow' must be a list of texts"),
        ({"text": "x", "allow": {"hr": True}}, "'allow' must be a list of texts"),
        ({"txt": "x"}, "did you mean 'txt'?"),
        ({"text": ["x"]}, "'text' must be a text, not [\"x\"]"),
        ({"text": "x", "title": {}}, "'title' must be a text, not {}"),
        ({"text": "x", "id": [True]}, "'id' must be a text, not [true]"),
    ],
)
def test_a_row_of_another_shape_is_a_fault_with_its_line(tmp_path, row, words):
    (tmp_path / "c.jsonl").write_text(jsonl([{"text": "good"}, row]))
    (line,) = faults_of_corpus(tmp_path / "c.jsonl")
    assert line.startswith("c.jsonl:2: ")
    assert words in line


def test_two_documents_with_one_id_are_a_fault_that_names_both(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "guide.md").write_text("x")
    (docs / "guide.txt").write_text("y")
    (docs / "more.jsonl").write_text(jsonl([{"id": 1, "text": "x"}, {"id": "1", "text": "y"}]))
    assert [line.split(" → ")[0] for line in faults_of_corpus(docs)] == [
        "docs/guide.txt: the id 'guide' already stands at docs/guide.md",
        "docs/more.jsonl:2: the id '1' already stands at docs/more.jsonl:1",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere/", "no such folder"), ("void", "no text"), ("c.pdf", "format"), ("a\0", "no such")],
)
def test_a_corpus_that_is_not_there_or_empty_is_a_fault(tmp_path, name, words):
    (tmp_path / "void").mkdir()
    (tmp_path / "c.pdf").write_text("x")
    lines = told(write(tmp_path, task_text(data=data(corpus=name))))
    assert any(words in line for line in lines)


def test_a_corpus_of_which_everything_is_skipped_is_a_fault(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.pdf").write_bytes(b"%PDF-1.4 no more")
    (docs / "b.txt").write_text(" ")
    (line,) = told(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert line.startswith("docs: nothing in the corpus can be read; a.pdf: damaged")


def test_every_document_that_cannot_be_opened_is_told(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "good.md").write_text("fine")
    (docs / "folder.pdf").mkdir()
    (docs / "dangling.md").symlink_to("nowhere")
    (docs / "latin.csv").write_bytes(b"text\n\xff\x81\n")
    lines = told(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert [line.split(": ")[0] for line in lines] == [
        "docs/dangling.md",
        "docs/folder.pdf",
        "docs/latin.csv:2",
    ]


def test_what_is_skipped_is_counted_and_named_and_the_rest_is_read(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "good.md").write_text("fine")
    (docs / "latin.md").write_bytes(b"one\ntwo \xff")
    (docs / "nul.txt").write_bytes(b"a\0b")
    (docs / "closed.pdf").write_bytes(pdf("secret", password="key"))
    (docs / "scan.pdf").write_bytes(pdf(""))
    task = load_task(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert [document.id for document in task.documents] == ["good"]
    found = sentences(task.data.findings[:3])
    assert found[0].startswith("1 of 5 documents left out, encrypted ")
    assert found[0].endswith(": closed.pdf")
    assert found[1].startswith("2 of 5 documents left out, not UTF-8 text ")
    assert found[1].endswith(": latin.md, nul.txt")
    assert found[2].startswith("1 of 5 documents left out, no text ")
    assert sentences(limited(task, 2).data.findings[:3]) == found


def test_files_of_other_formats_are_counted_by_ending_but_for_hidden_ones(tmp_path):
    docs = tmp_path / "docs"
    (docs / "deep").mkdir(parents=True)
    (docs / ".git").mkdir()
    (docs / "folder.docx").mkdir()
    files = ("a.docx", "deep/b.DOCX", "c.rst", "README", ".hidden.docx", ".git/d.docx", "e.md")
    for name in files:
        (docs / name).write_text("text")
    task = load_task(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert task.corpus.unread == ("2 .docx", "1 without an ending", "1 .rst")
    assert task.data.findings[0].text == (
        "files of other formats in the corpus are not read (2 .docx, 1 without an ending, 1 .rst):"
        " only .md, .txt, .html, .htm, .pdf, .jsonl, .csv are"
    )
    (docs / "e.md").unlink()
    (line,) = told(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert line.startswith("docs: the corpus holds no text, but files of other formats: 2 .docx, 1")


def test_an_underlined_first_line_is_the_title(tmp_path):
    (tmp_path / "a.md").write_text("Opening hours\n=============\n\nAt nine.")
    (tmp_path / "b.md").write_text("We open\nat nine.\n===")
    assert [document.title for document in read(tmp_path).documents] == ["Opening hours", "b"]


def test_hidden_copies_are_no_documents(tmp_path):
    for name in (".trash/old.md", ".obsidian/w.jsonl", "deep/.ipynb_checkpoints/a.md", ".b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "deep/a.md").write_text("text")
    assert [document.id for document in read(tmp_path).documents] == ["deep/a"]


def test_a_file_whose_name_is_no_text_is_left_out_and_named_by_its_bytes(tmp_path):
    (tmp_path / "a.md").write_text("text")
    (tmp_path / "b\udcff.md").write_text("text")
    (tmp_path / "c\udcff.png").write_text("text")
    corpus = read(tmp_path)
    assert [document.id for document in corpus.documents] == ["a"]
    (skipped,) = corpus.skipped
    assert (skipped.where, skipped.why) == ("b\\udcff.md", "names that are not UTF-8 (rename them)")


def test_an_ending_that_is_no_text_is_told_in_text(tmp_path):
    (tmp_path / "a.md").write_text("text")
    (tmp_path / "b.\udcff").write_text("text")
    assert read(tmp_path).unread == ("1 .?",)


def test_of_very_many_skipped_documents_some_are_named(tmp_path):
    some = [{"text": ""}] * 25 + [{"text": "x"}]
    path = write(tmp_path, task_text(data=data(corpus="c.jsonl")), c_jsonl=some)
    finding = load_task(path).data.findings[0].text
    assert finding.startswith("25 of 26 documents left out")
    assert finding.endswith("c.jsonl:19, c.jsonl:20 and 5 more")


def test_the_documents_reach_the_task(tmp_path):
    path = write(tmp_path, task_text(data=data(corpus="c.jsonl")), c_jsonl='{"text": "x"}')
    assert [document.text for document in load_task(path).documents] == ["x"]


@pytest.mark.parametrize("corpus", [".", "rows/..", "test.jsonl"])
def test_rows_that_would_be_read_as_documents_are_a_fault(tmp_path, corpus):
    lines = told(write(tmp_path, task_text(data=data(corpus=corpus))))
    assert any(
        line.startswith("task.yaml:4 data.test: these rows lie in data.corpus") for line in lines
    )


def test_a_document_of_enormous_length_is_read(tmp_path):
    (tmp_path / "long.md").write_text("# Long\n" + "All is well. " * 500_000)
    (document,) = read(tmp_path).documents
    assert len(document.text) > 6_000_000
