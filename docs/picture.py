"""Takes the picture of a report's first screen with a headless Chromium.

Without a browser it says so; nothing else needs it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.analysis import Comparison
from reports import html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZE = (1000, 760)
"""Pixels: a report's narrowest desktop width, down to its first plots."""


def draw_picture(example: Path, picture: Path) -> None:
    """Write what a browser shows of a report, as today's templates draw it, without scrolling.

    Args:
        example: a folder with a comparison.json.
        picture: where the picture goes, a PNG file.

    Raises:
        SystemExit: there is no browser, or it drew nothing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser is installed (tried {', '.join(BROWSERS)}) → install one")
    comparison = Comparison.model_validate_json((example / "comparison.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        report.write_text(html(comparison), encoding="utf-8")
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder}/profile", f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--screenshot={picture}", report.as_uri(),
        ]  # fmt: skip
        subprocess.run(words, check=True, capture_output=True, timeout=120)
    if not picture.is_file():
        raise SystemExit(f"{browser} drew nothing of {example}")
