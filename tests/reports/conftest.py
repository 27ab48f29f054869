"""Lets the tests of reports build run folders as the tests of the judge do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))
