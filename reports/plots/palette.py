"""Colours of plots: signs that stand for variables of the page's style, and their values.

A specification names a colour by its sign, a hexadecimal value that nothing else has. In the drawn
SVG each sign becomes `var(--…)`, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

COLOURS = {
    "ink": ("#1b1f24", "#e6edf3"),
    "soft": ("#57606a", "#9aa4ae"),
    "line": ("#d8dee4", "#30363d"),
    "paper": ("#ffffff", "#0d1117"),
    "wash": ("#f6f8fa", "#161b22"),
    "good": ("#1a7f37", "#4ac26b"),
    "warn": ("#9a6700", "#d4a72c"),
    "bad": ("#b42318", "#ff7b72"),
    "bar": ("#a8c7f0", "#27456f"),
    "dot": ("#0b57d0", "#79b0ff"),
    "grey": ("#8c959f", "#6e7681"),
    "s1": ("#0b57d0", "#79b0ff"),
    "s2": ("#b3470b", "#ffa657"),
    "s3": ("#6d3fc4", "#c297ff"),
    "s4": ("#0b7a75", "#56d4dd"),
    "s5": ("#a1286a", "#ff9bce"),
    "s6": ("#6e5a00", "#d9bd3e"),
}
"""Each colour's name with its values on a light page and on a dark one. Text on `paper` and `wash`
has a contrast of 4.5 or more in both (WCAG 2.2, 1.4.3)."""

_SIGNS = {name: f"#0e0d{at:02x}" for at, name in enumerate(COLOURS)}
SERIES = ("s1", "s2", "s3", "s4", "s5", "s6")
"""Colours of lines that are told apart; further lines are grey."""
DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 3])
"""Each line of a series has a dash of its own beside its colour."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def sign(name: str) -> str:
    """Return the value that stands for a colour in a specification."""
    return _SIGNS[name]


def variables() -> dict[str, str]:
    """Return what each sign becomes in the drawn SVG."""
    return {value: f"var(--{name})" for name, value in _SIGNS.items()}


def style(selector: str = ":root") -> str:
    """Return CSS that gives every colour its value, on light and on dark pages."""
    light = " ".join(f"--{name}:{values[0]};" for name, values in COLOURS.items())
    dark = " ".join(f"--{name}:{values[1]};" for name, values in COLOURS.items())
    return (
        f"{selector} {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}"
    )
