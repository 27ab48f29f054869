"""Rows as they stand in files of any format; knows nothing of what their columns mean."""

from harness.task.rows.row import Row, as_text
from harness.task.rows.row_file import FORMATS, read_rows

__all__ = ["FORMATS", "Row", "as_text", "read_rows"]
