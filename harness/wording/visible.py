"""Characters that would do something where a text is shown, as text that does nothing.

Knows nothing of where that is.
"""

from __future__ import annotations

import re

ACTING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls; ESC and U+009B begin a terminal's commands
    "\u2028\u2029"  # ends of lines that are not ours
    "\u202a-\u202e\u2066-\u2069"  # turn the order of what is read around
    "\ud800-\udfff"  # half a pair, which no file can hold
    "]"
)
"""All but the end of a line and the tab. What has no width may join letters, and stays."""


def visible(text: str) -> str:
    r"""Return a text whose acting characters are shown as escapes: `\x1b`, `\u202e`.

    Lines stay lines; a tab, whose width nobody knows, is a blank.
    """
    return ACTING.sub(_escape, text).replace("\t", " ")


def on_one_line(text: str) -> str:
    r"""Return a text as `visible` does, with its line breaks as `\n`."""
    return visible(text.replace("\n", "\\n"))


def visible_json(text: str) -> str:
    r"""Return JSON as `visible` does, in JSON's own escapes: it says the same."""
    return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {"\r": "\\r"}.get(found[0]) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
