"""Documents of a corpus that take for ever, say far more than they hold, or lie elsewhere."""

from __future__ import annotations

import os
import zlib

import pytest
from task_folder import data, task_text, write

from harness.task.corpus import corpus as reading
from harness.task.corpus.corpus import read_corpus
from harness.task.corpus.skipped import DAMAGED, EMPTY, LEAVES, LINKED_FOLDER, NO_FILE, TOO_LARGE

pytestmark = pytest.mark.timeout(120)
HUGE = 10**6


def bomb(size=300 * 2**20):
    """A PDF whose one page says hundreds of times more than the file holds."""
    packed = zlib.compress(b"BT (a) Tj ET " * (size // 13), 9)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    ]  # fmt: skip
    return finished(parts)


def finished(parts):
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return body + head + table + end % (len(parts) + 1, len(body))


def pages(kids):
    return finished([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 9>>" % kids])


def slow(reason="slow"):
    return lambda why: why.startswith(reason)


DOCUMENTS = {
    "tables in tables.html": ("<table>" * 30_000, "slow"),
    "cells in tables.html": ("<table><tr><td>" * 13_000, "slow"),
    "text in tables.html": ("<table><td>a" * 16_000, "slow"),
    "open tags.html": ("<a " * 60_000, "slow"),
    "open comments.html": ("<!--" * 50_000, "slow"),
    "open quotes.html": ('<a b="' * 40_000, "slow"),
    "tags in tags.html": ("<a<" * 60_000, "slow"),
    "a million tags.html": ("<b>" * HUGE, TOO_LARGE),
    "instructions.html": ("<?" * 50_000, None),
    "deep.html": ("<div>" * 20_000 + "words", None),
    "a wide row.html": ("<table><tr>" + "<td>a</td>" * 10_000, None),
    "a column of 1,000.html": ("<table>" + "<tr><td colspan=1000>a</td></tr>" * 100, None),
    "a bomb.pdf": (bomb(), f"slow|{DAMAGED}|{TOO_LARGE}|{EMPTY}"),
    "pages in pages.pdf": (pages(b"2 0 R"), f"slow|{DAMAGED}|{EMPTY}"),
    "pages again and again.pdf": (pages(b"2 0 R " * 1000), f"slow|{DAMAGED}|{EMPTY}"),
    "half a file.pdf": (bomb(10**6)[:500], f"{DAMAGED}|{EMPTY}"),
    "arrays.pdf": (finished([b"[" * 100_000 + b"]" * 100_000]), f"slow|{DAMAGED}"),
    "larger than text.txt": ("a" * (16 * 2**20 + 1), TOO_LARGE),
    "one long line.md": ("a" * HUGE, None),
    "quotations.md": ("> " * 20 + "a\n" * 20_000, None),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_left_out_with_its_reason_or_read(tmp_path, monkeypatch, name):
    content, said = DOCUMENTS[name]
    if said is not None:  # what can be read may take its time on a busy machine
        monkeypatch.setattr(reading, "READING_S", 1.5)
    documents = tmp_path / "documents"
    documents.mkdir()
    write(tmp_path, task_text(data=data(corpus="documents")))
    (documents / "good.txt").write_text("words")
    (documents / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = []
    corpus = read_corpus(documents, faults)
    assert faults == []
    assert "good" in {document.id for document in corpus.documents}
    (why,) = [skipped.why for skipped in corpus.skipped] or [None]
    if said is None:
        assert why is None
        assert len(corpus.documents) == 2
    else:
        assert why is not None
        assert any(why.startswith(word) for word in said.split("|")), why


def test_links_pipes_and_devices_of_a_corpus_are_left_out(tmp_path):
    corpus, elsewhere = tmp_path / "corpus", tmp_path / "elsewhere"
    (corpus / "inner").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret.md").write_text("secret")
    (corpus / "good.md").write_text("words")
    (corpus / "again.md").symlink_to("good.md")
    (corpus / "inner/up.md").symlink_to("../../elsewhere/secret.md")
    (corpus / "all").symlink_to(elsewhere)
    (corpus / "round").symlink_to(corpus)
    (corpus / "inner/round.md").symlink_to("round.md")
    (corpus / "zeros.txt").symlink_to("/dev/zero")
    os.mkfifo(corpus / "waits.html")
    (corpus / "folder.pdf").mkdir()
    write(tmp_path, task_text(data=data(corpus="corpus")))
    faults = []
    found = read_corpus(corpus, faults)
    assert [document.id for document in found.documents] == ["again", "good"]
    assert {(one.where, one.why) for one in found.skipped} == {
        ("all", LINKED_FOLDER), ("round", LINKED_FOLDER), ("inner/up.md", LEAVES),
        ("zeros.txt", LEAVES), ("waits.html", NO_FILE),
    }  # fmt: skip
    wrong = [str(corpus / "folder.pdf"), str(corpus / "inner/round.md")]
    assert [fault.where for fault in faults] == wrong
