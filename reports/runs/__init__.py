"""Pages on several runs: two compared, and all of a folder over time.

They are lists of sections, drawn as those of a report are.
"""

from reports.runs.compared import compared_html
from reports.runs.history import history_html

__all__ = ["compared_html", "history_html"]
