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
            pages = [page.extract_text().strip() for page in PdfReader(stream).pages]
        except (DependencyError, FileNotDecryptedError):
            raise UnreadableError(ENCRYPTED) from None
        except Exception:  # a damaged file makes pypdf raise KeyError, RecursionError and others
            raise UnreadableError(DAMAGED) from None
    return file.stem, "\n\n".join(page for page in pages if page)
