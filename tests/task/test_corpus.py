"""The corpus: a folder of texts or a JSONL file, read whole, with its faults."""

import pytest
from task_folder import data, jsonl, task_text, told, write

from harness.task import load_task
from harness.task.corpus import read_corpus


def test_a_folder_is_read_in_order_with_titles_and_paths_as_ids(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.md").write_text("# Brakes\nSqueak.")
    (tmp_path / "a.txt").write_text("No heading.")
    (tmp_path / "deep" / "c.md").write_bytes("\ufeff## Bolt\nTurn.".encode())
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    faults = []
    documents = read_corpus(tmp_path, faults)
    assert faults == []
    assert [(d.id, d.title) for d in documents] == [
        ("a", "a"),
        ("b", "Brakes"),
        ("deep/c", "Bolt"),
    ]
    assert documents[2].text == "## Bolt\nTurn."


def test_a_jsonl_corpus_takes_id_title_and_text_where_they_are(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(jsonl([{"id": 7, "title": "T", "text": "x"}, {"text": "y"}, {"text": None}]))
    faults = []
    documents = read_corpus(path, faults)
    assert faults == []
    assert [(d.id, d.title, d.text) for d in documents] == [("7", "T", "x"), ("2", "", "y")]


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere/", "no such folder"), ("void", "no text"), ("c.pdf", "format"), ("a\0", "no such")],
)
def test_a_corpus_that_is_not_there_or_empty_is_a_fault(tmp_path, name, words):
    (tmp_path / "void").mkdir()
    (tmp_path / "c.pdf").write_text("x")
    lines = told(write(tmp_path, task_text(data=data(corpus=name))))
    assert any(words in line for line in lines)


def test_every_document_that_cannot_be_read_is_told(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "good.md").write_text("fine")
    (docs / "latin.md").write_bytes(b"one\ntwo \xff")
    (docs / "folder.md").mkdir()
    (docs / "dangling.md").symlink_to("nowhere")
    lines = told(write(tmp_path, task_text(data=data(corpus="docs"))))
    assert [line.split(": ")[0] for line in lines] == [
        "docs/dangling.md",
        "docs/folder.md",
        "docs/latin.md:2",
    ]


def test_the_documents_reach_the_task(tmp_path):
    path = write(tmp_path, task_text(data=data(corpus="c.jsonl")), c_jsonl='{"text": "x"}')
    assert [document.text for document in load_task(path).documents] == ["x"]
