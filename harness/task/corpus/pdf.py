"""Reads the text of .pdf files, page by page. Pictures of text stay pictures."""

from __future__ import annotations

import logging
from pathlib import Path

from harness.task.corpus.skipped import DAMAGED, ENCRYPTED, UnreadableError


def read_pdf(file: Path) -> tuple[str, str]:
    """Return title and text; the title is the file's name. An empty line separates pages.

    Raises:
        UnreadableError: it is encrypted or damaged.
        OSError: it cannot be opened.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters is raised too
    with file.open("rb") as stream:
        try:
            pages = [_clean(page.extract_text()) for page in PdfReader(stream).pages]
        except (DependencyError, FileNotDecryptedError):
            raise UnreadableError(ENCRYPTED) from None
        except Exception:  # a damaged file makes pypdf raise KeyError, RecursionError and others
            raise UnreadableError(DAMAGED) from None
    return file.stem, "\n\n".join(page for page in pages if page)


def _clean(text: str) -> str:
    """Return text that UTF-8 can hold: a font's broken character map yields single surrogates.

    Two that belong together are joined; one that is alone becomes U+FFFD.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
