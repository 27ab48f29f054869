"""Reads .pdf files: the text that they hold, page by page. Pictures of text stay pictures."""

from __future__ import annotations

import logging
from pathlib import Path

from harness.task.corpus.skipped import DAMAGED, ENCRYPTED, UnreadableError


def read_pdf(file: Path) -> tuple[str, str]:
    """Return title and text; the title is the file's name, pages are apart by an empty line.

    Raises:
        UnreadableError: it is encrypted or damaged.
        OSError: it cannot be opened.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters of it is raised as well
    with file.open("rb") as stream:
        try:
            pages = [_clean(page.extract_text()) for page in PdfReader(stream).pages]
        except (DependencyError, FileNotDecryptedError):
            raise UnreadableError(ENCRYPTED) from None
        except Exception:  # a damaged file makes pypdf raise KeyError, RecursionError and others
            raise UnreadableError(DAMAGED) from None
    return file.stem, "\n\n".join(page for page in pages if page)


def _clean(text: str) -> str:
    """Return text that can be written: a font's broken map of characters yields half pairs.

    Halves that belong together are joined; one that stands alone becomes the mark for what is
    unknown (U+FFFD).
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
