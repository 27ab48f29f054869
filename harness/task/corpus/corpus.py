"""Reads a whole corpus: which files are read, and what is wrong with them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Fault
from harness.task.corpus.html import read_html
from harness.task.corpus.pdf import read_pdf
from harness.task.corpus.plain import read_plain
from harness.task.corpus.skipped import EMPTY, Skipped, UnreadableError
from harness.task.corpus.table import read_table
from harness.types import Document

READERS = {
    ".md": read_plain,
    ".txt": read_plain,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
}
TABLES = (".jsonl", ".csv")
FORMATS = ", ".join([*READERS, *TABLES])


@dataclass(frozen=True)
class Corpus:
    """The documents of a task."""

    documents: tuple[Document, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def read_corpus(path: Path, faults: list[Fault]) -> Corpus:
    """Read a folder of files, or one .jsonl or .csv file.

    A file is a document, its path below the folder without the ending its id; of .jsonl and .csv
    files each row is one. Files of other formats are no part of the corpus.

    Args:
        path: the folder or file.
        faults: receives what is wrong. A file that holds no text, or that nobody can read, is no
            fault as long as others can be read: it is skipped.
    """
    if not path.exists():
        faults.append(Fault(ascii(str(path))[1:-1], "there is no such folder or file"))
        return Corpus()
    root = path if path.is_dir() else path.parent
    placed: dict[str, tuple[str, Document]] = {}
    skipped: list[Skipped] = []
    known_faults = len(faults)
    for where, document in _documents(path, skipped, faults):
        if not document.text.strip():
            skipped.append(Skipped(str(Path(where).relative_to(root)), EMPTY))
        elif document.id in placed:
            what = f"the id '{document.id}' already stands at {placed[document.id][0]}"
            faults.append(Fault(where, what, "a document has an id of its own: rename one"))
        else:
            placed[document.id] = (where, document)
    if not placed and len(faults) == known_faults:
        faults.append(_nothing(path, skipped))
    return Corpus(tuple(document for _, document in placed.values()), tuple(skipped))


def _documents(
    path: Path, skipped: list[Skipped], faults: list[Fault]
) -> Iterator[tuple[str, Document]]:
    if not path.is_dir():
        yield from read_table(path, path.stem, faults)
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        name = below.with_suffix("").as_posix()
        if file.suffix.lower() in TABLES:
            yield from read_table(file, name, faults)
        elif file.suffix.lower() in READERS:
            try:
                title, text = READERS[file.suffix.lower()](file)
            except UnreadableError as problem:
                skipped.append(Skipped(str(below), str(problem)))
            except OSError as problem:
                faults.append(Fault(str(file), f"cannot be read: {problem.strerror}"))
            else:
                yield str(file), Document(name, title, text)


def _nothing(path: Path, skipped: list[Skipped]) -> Fault:
    """Return the fault of a corpus without a document."""
    if not skipped:
        return Fault(str(path), "the corpus holds no text", f"add files: {FORMATS}")
    what = f"nothing in the corpus can be read; {skipped[0].where}: {skipped[0].why}"
    return Fault(str(path), what, f"add files that hold text: {FORMATS}")
