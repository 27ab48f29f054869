"""Reads a whole corpus: which files are read, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Fault
from harness.task.corpus.html import read_html
from harness.task.corpus.pdf import read_pdf
from harness.task.corpus.plain import read_plain
from harness.task.corpus.skipped import EMPTY, UNNAMEABLE, Skipped, UnreadableError
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
    unread: tuple[str, ...] = ()
    """How many files of its folder have a format that is not read, by ending: "40 .docx". Hidden
    files are not counted."""


PATHS = "write its path as it stands from the task file's folder"


def read_corpus(path: Path, faults: list[Fault]) -> Corpus:
    """Read a folder of files, or one .jsonl or .csv file.

    Each file is a document; its id is its path below the folder, without the ending. In .jsonl and
    .csv files each row is a document. Files of other formats are not read, only counted. Hidden
    files and folders, such as copies that editors keep, are not even counted.

    Args:
        path: the folder or file.
        faults: receives what is wrong. A file without text, or one that cannot be read, is skipped
            and is no fault as long as others can be read.
    """
    if not path.exists():
        faults.append(Fault(ascii(str(path))[1:-1], "there is no such folder or file", PATHS))
        return Corpus()
    root = path if path.is_dir() else path.parent
    placed: dict[str, tuple[str, Document]] = {}
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    known_faults = len(faults)
    for where, document in _documents(path, skipped, others, faults):
        if not document.text.strip():
            skipped.append(Skipped(str(Path(where).relative_to(root)), EMPTY))
        elif document.id in placed:
            what = f"the id '{document.id}' already stands at {placed[document.id][0]}"
            faults.append(Fault(where, what, "a document has an id of its own: rename one"))
        else:
            placed[document.id] = (where, document)
    documents = tuple(document for _, document in placed.values())
    corpus = Corpus(documents, tuple(skipped), tuple(_counted(others)))
    if not placed and len(faults) == known_faults:
        faults.append(_nothing(path, corpus))
    return corpus


def _documents(
    path: Path, skipped: list[Skipped], others: Counter[str], faults: list[Fault]
) -> Iterator[tuple[str, Document]]:
    if not path.is_dir():
        yield from read_table(path, path.stem, faults)
        return
    for file in _shown(path):
        below = file.relative_to(path)
        name = below.with_suffix("").as_posix()
        ending = file.suffix.lower()
        if ending in (*READERS, *TABLES) and not _is_text(name):
            skipped.append(Skipped(ascii(str(below))[1:-1], UNNAMEABLE))
        elif ending in TABLES:
            yield from read_table(file, name, faults)
        elif ending in READERS:
            try:
                title, text = READERS[ending](file)
            except UnreadableError as problem:
                skipped.append(Skipped(str(below), str(problem)))
            except OSError as problem:
                faults.append(Fault(str(file), f"cannot be read: {problem.strerror}"))
            else:
                yield str(file), Document(name, title, text)
        elif file.is_file():
            others[ending] += 1


def _shown(folder: Path) -> Iterator[Path]:
    """Yield what lies below a folder and is not hidden there, in order."""
    for path in sorted(folder.rglob("*")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _is_text(name: str) -> bool:
    """Tell whether a path can be written as UTF-8: for a file system, names are bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _counted(endings: Counter[str]) -> Iterator[str]:
    """Say how many files have each ending, the most frequent first."""
    for ending, count in sorted(endings.items(), key=lambda item: (-item[1], item[0])):
        # A file's name may be no text; a message must be.
        yield f"{count} {ending.encode(errors='replace').decode() or 'without an ending'}"


def _nothing(path: Path, corpus: Corpus) -> Fault:
    """Return the fault of a corpus without any document."""
    what = "the corpus holds no text"
    if corpus.skipped:
        first = corpus.skipped[0]
        what = f"nothing in the corpus can be read; {first.where}: {first.why}"
    elif corpus.unread:
        what += f", but files of other formats: {', '.join(corpus.unread)}"
    return Fault(str(path), what, f"add files that hold text: {FORMATS}")
