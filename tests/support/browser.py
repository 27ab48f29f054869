"""Pages in a real browser: headless Chromium opens one, runs a script in it, and tells what it saw.

Skips where no Chromium is installed. Loads nothing from anywhere but the page's own folder.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-sync", "--disable-component-update",
    "--hide-scrollbars", "--virtual-time-budget=20000",
)  # fmt: skip


def axe() -> str | None:
    """Return axe-core's source (MPL-2.0), from the package that carries it; None: not installed."""
    found = find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        return None
    source = Path(next(iter(found.submodule_search_locations))) / "axe.min.js"
    return source.read_text(encoding="utf-8") if source.is_file() else None


def told(page: str, script: str, width: int, folder: Path, height: int = 1000, before: str = ""):
    """Open a page and return what a script tells: the value of its promise, through JSON.

    Args:
        page: HTML.
        script: the body of an async function.
        width: of the window, in pixels.
        folder: to write the page and the browser's profile into.
        height: of the window, in pixels.
        before: a script that runs before the page's own.
    """
    tell = (
        f"<script>{before}</script><script>addEventListener('load', async () => {{ let told; try {{"
        f"told = await (async () => {{{script}}})() }} catch (problem) {{"
        "told = {problem: String(problem)} } parent.postMessage(JSON.stringify(told), '*') })"
        "</script></head>"
    )
    file, frame = folder / "report.html", folder / "frame.html"
    file.write_text(page.replace("</head>", tell, 1), encoding="utf-8", errors="replace")
    # A window is never narrower than 500 pixels; a frame is as narrow as a phone.
    frame.write_text(
        "<script>addEventListener('message', (event) => {"
        " document.documentElement.dataset.told = event.data })</script>"
        f'<iframe src="report.html" width="{width}" height="{height}" style="border:0"></iframe>',
        encoding="utf-8",
    )
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    command += [f"--window-size={width + 100},{height + 100}", "--dump-dom", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    found = re.search(r' data-told="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))
