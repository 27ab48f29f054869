"""Whether a terminal makes links of OSC 8 sequences; nothing can be asked, so its name decides.

The names are those of the package `supports-hyperlinks` (MIT) and of
https://github.com/Alhadis/OSC8-Adoption. Terminals without them would ignore the sequence, or print
it: where the name says nothing, there is no link.
"""

from __future__ import annotations

from collections.abc import Mapping

PROGRAMS = frozenset(
    {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "rio", "WarpTerminal"}
)
"""Values of TERM_PROGRAM."""
TERMS = ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "contour", "wezterm")
"""How TERM begins."""
VARIABLES = ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "KITTY_WINDOW_ID")
"""Variables that only such terminals set."""
VTE_SINCE = 5000
"""GNOME's and other VTE terminals have links from version 0.50."""


def has_links(environment: Mapping[str, str]) -> bool:
    """Tell from a process's environment whether its terminal makes links of OSC 8."""
    if (forced := environment.get("FORCE_HYPERLINK")) is not None:
        return forced not in ("", "0")
    if environment.get("CI") or environment.get("TERM") in (None, "dumb", "linux"):
        return False
    vte = environment.get("VTE_VERSION", "0")
    return (
        environment.get("TERM_PROGRAM") in PROGRAMS
        or environment["TERM"].startswith(TERMS)
        or any(environment.get(name) for name in VARIABLES)
        or (vte.isdecimal() and int(vte) >= VTE_SINCE)
    )
