"""The command `python -m docs`: writes the generated pages; with `--picture` the picture too."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.picture import draw_picture
from docs.reference_pages import reference_pages

HERE = Path(__file__).parent


def main() -> None:
    """Write what the code says, and what a browser shows of a report."""
    for name, text in reference_pages().items():
        (HERE / "reference" / name).write_text(text, encoding="utf-8")
    if "--picture" in sys.argv[1:]:
        draw_picture(HERE.parent / "reports" / "examples" / "ticket_triage", HERE / "report.png")


if __name__ == "__main__":
    main()
