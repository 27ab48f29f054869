"""Reads a whole corpus: which files are read, and what is wrong with them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from harness.errors import Fault
from harness.files.bounded import MIB, RefusedFileError, check_links, check_regular
from harness.files.cpu_limit import OverdueError, cpu_limit
from harness.task.corpus.html import read_html
from harness.task.corpus.pdf import read_pdf
from harness.task.corpus.plain import read_plain
from harness.task.corpus.skipped import (
    EMPTY,
    LEAVES,
    LINKED_FOLDER,
    NO_FILE,
    TOO_LARGE,
    TOO_SLOW,
    UNNAMEABLE,
    Skipped,
    UnreadableError,
)
from harness.task.corpus.table import Table, read_table
from harness.types import Document

READERS = {
    ".md": read_plain,
    ".txt": read_plain,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
}
TABLES = (".jsonl", ".csv")
ENDINGS = (*READERS, *TABLES)
FORMATS = ", ".join(ENDINGS)


@dataclass(frozen=True)
class Corpus:
    """The documents of a task."""

    documents: tuple[Document, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[str, ...] = ()
    """How many files of its folder have a format that is not read, by ending: "40 .docx". Hidden
    files are not counted."""


LARGEST_TEXT = 16 * MIB
LARGEST = {".pdf": 256 * MIB}
"""Bytes of a document, by its ending."""
READING_S, READING_S_A_MIB = 8.0, 2.0
"""Seconds of the CPU's time for a document, and more for each MiB: ordinary ones take a tenth."""
PATHS = "write its path as it stands from the task file's folder"


def read_corpus(
    path: Path, faults: list[Fault], within: Path | None = None, table: Table | None = None
) -> Corpus:
    """Read a folder of files, or one .jsonl or .csv file.

    Each file is a document; its id is its path below the folder, without the ending. In .jsonl and
    .csv files each row is a document. Files of other formats are not read, only counted. Hidden
    files and folders, such as copies that editors keep, are not even counted.

    Args:
        path: the folder or file.
        faults: receives what is wrong. A file without text, or one that cannot be read, is skipped
            and is no fault as long as others can be read.
        within: a folder that no link may leave which lies in it.
        table: what columns are called in files of rows, and how these are read.
    """
    try:
        if within is not None:
            check_links(path, within)
        mode = path.stat().st_mode
    except RefusedFileError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", problem.fix))
        return Corpus()
    except (OSError, ValueError):
        faults.append(Fault(ascii(str(path))[1:-1], "there is no such folder or file", PATHS))
        return Corpus()
    root = path if S_ISDIR(mode) else path.parent
    placed: dict[str, tuple[str, Document]] = {}
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    known_faults = len(faults)
    for where, document in _documents(path, skipped, others, faults, table):
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
    path: Path,
    skipped: list[Skipped],
    others: Counter[str],
    faults: list[Fault],
    table: Table | None,
) -> Iterator[tuple[str, Document]]:
    if not path.is_dir():
        yield from read_table(path, path.stem, faults, table)
        return
    for file in _shown(path):
        below = file.relative_to(path)
        name = below.with_suffix("").as_posix()
        ending = file.suffix.lower()
        if ending not in ENDINGS and not file.is_dir():
            others.update([ending] if file.is_file() else [])
            continue
        try:
            _check(file, path)
            if ending in TABLES:
                yield from read_table(file, name, faults, table)
                continue
            title, text = _read(file, ending)
        except UnreadableError as problem:
            where = str(below) if _is_text(name) else ascii(str(below))[1:-1]
            skipped.append(Skipped(where, str(problem)))
        except OSError as problem:
            faults.append(Fault(str(file), f"cannot be read: {problem.strerror}"))
        else:
            yield str(file), Document(name, title, text)


def _check(file: Path, corpus: Path) -> None:
    """Refuse what is no document of the corpus, without opening it."""
    if not _is_text(str(file.relative_to(corpus))):
        raise UnreadableError(UNNAMEABLE)
    if file.is_symlink() and file.is_dir():
        raise UnreadableError(LINKED_FOLDER)
    try:
        check_links(file, corpus)
    except RefusedFileError:
        raise UnreadableError(LEAVES) from None
    try:
        check_regular(file)
    except RefusedFileError:
        raise UnreadableError(NO_FILE) from None


def _read(file: Path, ending: str) -> tuple[str, str]:
    """Return title and text of a file, unless that takes more than a file of its size may."""
    size = file.stat().st_size
    if size > LARGEST.get(ending, LARGEST_TEXT):
        raise UnreadableError(TOO_LARGE)
    try:
        with cpu_limit(READING_S + READING_S_A_MIB * size / MIB):
            return READERS[ending](file)
    except OverdueError:
        raise UnreadableError(TOO_SLOW) from None
    except MemoryError:
        raise UnreadableError(TOO_LARGE) from None


def _shown(folder: Path) -> Iterator[Path]:
    """Yield what lies below a folder and is not hidden there, in order; links are not followed.

    Of folders, those alone that are called like a document, and links, which nothing is read of.
    """
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = [Path(place, name) for name in folders]
        found += [one for one in inner if one.is_symlink() or one.suffix.lower() in ENDINGS]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    yield from sorted(found)


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
