"""Rows as they stand in files of any format; knows nothing of what their columns mean."""

from harness.task.rows.hub import HubRef
from harness.task.rows.reading import Reading
from harness.task.rows.row import Row, as_text
from harness.task.rows.row_file import FORMATS, KNOWN, is_rows_file, read_rows
from harness.task.rows.shapes import holds_chat
from harness.task.rows.sources import files_of, read_sources

__all__ = [
    "FORMATS",
    "KNOWN",
    "HubRef",
    "Reading",
    "Row",
    "as_text",
    "files_of",
    "holds_chat",
    "is_rows_file",
    "read_rows",
    "read_sources",
]
