"""Files that mean no good: each is refused with a line, left out with a reason, or read right.

None may hang (the limit of a test is pytest's), and none ends the process.
"""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def left(tmp_path, record_property):
    """Say in a test's result where its task lies; benchmarks/faults.py measures `check` of it."""
    record_property("folder", str(tmp_path))
