"""Reads the documents of a task."""

from __future__ import annotations

from pathlib import Path

from harness.errors import Fault
from harness.source import not_utf8
from harness.task.rows import read_rows
from harness.types import Document


def read_corpus(path: Path, faults: list[Fault]) -> tuple[Document, ...]:
    """Read a folder of .md and .txt files, or a .jsonl file with `id`, `title` and `text`."""
    if not path.exists():
        faults.append(Fault(ascii(str(path))[1:-1], "there is no such folder or file"))
        return ()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".md", ".txt"))
        documents = [_document(file, path, faults) for file in files]
    else:
        documents = [
            Document(
                str(row.values.get("id", number)),
                str(row.values.get("title") or ""),
                str(row.values.get("text") or ""),
            )
            for number, row in enumerate(read_rows(path, faults), start=1)
        ]
    documents = [document for document in documents if document.text.strip()]
    if not documents:
        faults.append(Fault(str(path), "the corpus holds no text", "add .md, .txt or .jsonl files"))
    return tuple(documents)


def _document(file: Path, root: Path, faults: list[Fault]) -> Document:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        faults.append(Fault(str(file), f"cannot be read: {problem.strerror}"))
        text = ""
    except UnicodeDecodeError as problem:
        faults.append(not_utf8(file, problem))
        text = ""
    first_line = text.lstrip().split("\n", 1)[0]
    title = first_line.lstrip("# ") if first_line.startswith("#") else file.stem
    return Document(str(file.relative_to(root).with_suffix("")), title, text)
