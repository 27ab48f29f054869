"""Takes the picture of a report's first screen with a headless Chromium.

Knows no report's insides. Without a browser it says so; nothing else needs it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZE = (1000, 760)
"""Pixels: a report's narrowest desktop width, down to its first plots."""


def draw_picture(report: Path, picture: Path) -> None:
    """Write what a browser shows of a report without scrolling.

    Raises:
        SystemExit: there is no browser, or it drew nothing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser is installed (tried {', '.join(BROWSERS)}) → install one")
    with tempfile.TemporaryDirectory() as profile:
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--screenshot={picture}", report.resolve().as_uri(),
        ]  # fmt: skip
        subprocess.run(words, check=True, capture_output=True, timeout=120)
    if not picture.is_file():
        raise SystemExit(f"{browser} drew nothing of {report}")
