"""Takes the right answers of test rows out of what an earlier run left, before anything runs.

A report shows rows with their right answers, and no arm that runs now may read any. What sums rows
up stays: the earlier verdict can be read while the next one is made.
"""

from __future__ import annotations

import json

from harness.files.atomic import atomic_write
from harness.files.removal import remove
from harness.store.checksum import DamagedError, checked, with_checksum
from harness.store.run_folder import RunFolder

ROWS = "examples"
"""The key of comparison.json that holds single rows."""


def without_rows(folder: RunFolder) -> None:
    """Take away all that names what is right of single rows; the end of the run writes it anew."""
    remove(folder.truth)
    remove(folder.report_html)
    remove(folder.report_data)
    remove(folder.row_scores)
    if not folder.comparison.is_file():
        return
    try:
        found = checked(folder.comparison.read_bytes())
    except (OSError, DamagedError):
        remove(folder.comparison)  # what cannot be read may hold anything
        return
    if found.pop(ROWS, None) is not None:
        text = json.dumps(found, ensure_ascii=False, indent=1)
        atomic_write(folder.comparison, with_checksum(text) + "\n")
