"""A report with the browser over all rows, opened in headless Chromium, and what it says there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

from harness.analysis.analyse import analysis_of
from reports import Browser, html

CHROMIUM = shutil.which("chromium")
LACKING = "chromium is not installed"
PROBE = """
<script>
window.__told = [];
for (const name of ["alert", "confirm", "prompt", "print"]) {
  window[name] = () => { window.__hit = 1; };
}
addEventListener("error", event => window.__told.push(String(event.message)));
addEventListener("securitypolicyviolation", one => window.__told.push(String(one.blockedURI)));
const title = document.title;
addEventListener("load", () => setTimeout(async () => {
  let found = {};
  try { found = await (async () => { %s })(); }
  catch (problem) { found = { problem: String(problem) }; }
  document.querySelectorAll("details").forEach(one => { one.open = true; });
  await new Promise(done => setTimeout(done, 200));
  const wide = document.documentElement;
  const told = { ...found, hit: window.__hit, errors: window.__told,
    title: document.title === title, images: document.images.length,
    scripts: document.scripts.length, frames: window.frames.length,
    loaded: performance.getEntriesByType("resource").map(one => one.name),
    sideways: wide.scrollWidth - wide.clientWidth };
  wide.dataset.told = JSON.stringify(told);
}, 300));
</script></head>
"""
"""Put into a page: what would tell of a script that ran, and what a test asks of the page."""


def sliced(folder, *columns):
    """Have a hand-made run's task name the columns that its rows are sliced by."""
    header = folder.last_header()
    task = {**header.task, "data": {**header.task["data"], "slices": [*columns]}}
    folder.append(header.model_copy(update={"task": task}))
    return folder


def written(folder, shown="all", *, single_file=False):
    """Write a run folder's report.html with its browser and the texts beside it."""
    analysis = analysis_of(folder, shown=shown)
    rows = analysis.rows_shown.all
    browser = None if rows is None else Browser(rows, single_file)
    file = folder.path / "report.html"
    file.write_text(html(analysis.comparison(), browser), encoding="utf-8")
    for name, text in (browser.files if browser else {}).items():
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text(text, encoding="utf-8")
    return file


def opened(file: Path, script="return {};", fragment="", width=1000):
    """Open a page and return what a script found there, with what the page did besides.

    Args:
        file: of the page.
        script: the body of an asynchronous function; `rows` is what rows.js offers.
        fragment: of the address, with its #.
        width: of the window, in pixels.
    """
    page = file.read_text(encoding="utf-8")
    body = f"const rows = window.harnessRows; {script}"
    probed = file.with_name("probed.html")
    probed.write_text(page.replace("</head>", PROBE % body, 1), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", f"--user-data-dir={file.parent / 'profile'}"]
    command += [f"--window-size={width},900", "--virtual-time-budget=20000", "--dump-dom"]
    command.append(probed.as_uri() + fragment)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    (told,) = re.findall(r'data-told="([^"]*)"', done.stdout)[:1]
    return json.loads(unescape(told))
