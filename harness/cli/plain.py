"""What commands print beside the screen's tables: text that moves no cursor and forges no line.

All that the command line prints goes through here or through `terminal.Screen`.
"""

from __future__ import annotations

import sys

from harness.wording.visible import on_one_line, visible, visible_json


def tell(text: str = "") -> None:
    """Print one line to standard output, whatever stands in the text."""
    print(on_one_line(text))


def tell_json(text: str) -> None:
    """Print a line of JSON to standard output."""
    print(visible_json(text))


def complain(text: str) -> None:
    """Print what went wrong to standard error; several faults are several lines."""
    print(visible(text), file=sys.stderr)
