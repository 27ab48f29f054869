"""Foreign text in every place that shows some: it is shown, and does nothing.

One run has a mark in each such place; each hostile text takes the mark's place in what was found.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from contextlib import redirect_stdout

import pytest
from bs4 import BeautifulSoup
from hand_made import PRICES, Arm, write_run
from hostile_texts import HOSTILE, OPENS
from markdown_it import MarkdownIt
from rich.console import Console

from harness.analysis import Comparison, analyse
from harness.cli.terminal import Screen
from harness.store.finding import Finding
from harness.store.records import Note
from harness.types import Endpoint, ModelRef, Prediction
from reports import html
from reports import whole_markdown as markdown
from reports.render_markdown import safe

MARK = "zqz"
"""Stands wherever foreign text may; letters alone, so that it does nothing itself."""
N = 40
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")
"""What rich itself sends for a colour."""


def marked_run(path):
    """A run with a mark in labels, names, slices, ids, errors, notes, models, sources and more."""
    targets = ["yes", MARK] * (N // 2)
    cited = [Prediction(target, sources=(f"doc {MARK}",)) for target in targets]
    wrong = [*cited[2:], *cited[:2]]
    failed = [Prediction("", error=f"error {MARK}"), *cited[1:]]
    note = Note(kind=MARK, text=f"note {MARK}")
    arms = [
        Arm(f"a{MARK}", [cited], notes=[note], plan={"params": {"template": MARK}}),
        Arm(f"b{MARK}", [failed], complexity=0, plan={"needs_model": True}),
        Arm(f"c{MARK}", [[*wrong[1:], wrong[0]]], complexity=3),
        Arm(f"d{MARK}", status="failed", error=f"{MARK} broke: {MARK}"),
        Arm(f"e{MARK}", refused=f"refused {MARK}"),
    ]
    prices = {"machines": [{**PRICES["machines"][0], "name": MARK, "source": f"at {MARK}"}]}
    folder = write_run(
        path,
        targets,
        arms,
        prices=prices,
        traffic={"requests_per_month": 1000, "months": 10},
        labour={"usd_per_hour": 60, "hours": {f"a{MARK}": 2}},
        answer={"kind": "choice", "labels": ["yes", MARK]},
        instruction=f"instruction {MARK}",
        data={"findings": (Finding.of_sentence(f"finding {MARK}"),)},
        truth={"slices": [{f"column {MARK}": f"value {MARK}"}] * N},
        model=ModelRef(
            MARK, f"http://{MARK}/v1", hosted=Endpoint("openai", None), origin=MARK, licence=MARK
        ),
    )
    header = folder.last_header()
    task = {
        **header.task,
        "name": MARK,
        "data": {**header.task["data"], "slices": [f"column {MARK}"]},
    }
    machine = header.machine.model_copy(update={"cpu_model": MARK, "os": MARK})
    update = {
        "task": task,
        "command": f"command {MARK}",
        "git_commit": MARK,
        "packages": {MARK: MARK},
        "machine": machine,
    }
    folder.append(header.model_copy(update=update))
    return folder


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """What was found in the marked run, as JSON."""
    found = analyse(marked_run(tmp_path_factory.mktemp("marked"))).model_dump(mode="json")
    found["not_as_sealed"] = [f"edited {MARK}"]
    found["recommendation"]["provisional"] = True
    for row in found["rows"]:
        row["models"] = [f"model {MARK}"]
    return found


def replaced(value, text):
    """Return a value of JSON with a text in each place of the mark, names of fields included."""
    if isinstance(value, str):
        return value.replace(MARK, text)
    if isinstance(value, list):
        return [replaced(one, text) for one in value]
    if isinstance(value, dict):
        return {replaced(name, text): replaced(one, text) for name, one in value.items()}
    return value


def with_text(marked, text):
    return Comparison.model_validate(replaced(marked, text))


def blocks(text):
    """Return what CommonMark with tables and HTML makes of a text: its blocks and its elements."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    # A text of nothing but blanks leaves a cell empty, which is no other block.
    shapes = [(token.type, token.tag, token.nesting) for token in tokens]
    raw = [token.content for token in tokens if token.type == "html_block"]
    return shapes, {child.type for child in inline}, raw


def leads_outside(one):
    """Tell whether an element is a link to an address of the web, which may stand in a text."""
    if one.name != "a" or not one["href"].lower().startswith(("http://", "https://")):
        return False
    assert set(one.attrs) == {"href", "rel"}
    return True


def shape(page):
    """Return the elements of a page in their order, and the names of their attributes."""
    made = [one for one in BeautifulSoup(page, "lxml").find_all(True) if not leads_outside(one)]
    # A long cell is given a class, so that it may be broken.
    return [(one.name, sorted(set(one.attrs) - {"class"})) for one in made]


def printed(comparison, live):
    """Return what a terminal, or a file in its place, is sent."""
    out = io.StringIO()
    screen = Screen()
    screen._live = live
    screen.console = Console(file=out, force_terminal=live, width=500, highlight=False, emoji=False)
    with redirect_stdout(out):
        screen.show(comparison)
    return out.getvalue()


def test_the_mark_stands_in_all_places(marked):
    comparison = with_text(marked, MARK)
    text, page = markdown(comparison), html(comparison)
    places = (
        "note", "doc", "value", "column", "finding", "refused", "command", "at", "edited", "model",
    )  # fmt: skip
    for place in places:
        assert f"{place} {MARK}" in text
        assert f"{place} {MARK}" in page
    assert f"instruction {MARK}" in page
    assert page.count(MARK) > 80
    assert text.count(MARK) > 80
    assert printed(comparison, live=False).count(MARK) > 10


def test_there_are_as_many_texts_as_promised():
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_in_markdown_it_is_text(marked, name):
    shapes, kinds, raw = blocks(markdown(with_text(marked, "text")))
    found, inline, made = blocks(markdown(with_text(marked, HOSTILE[name])))
    assert found == shapes
    assert inline & {"link_open", "image", "html_inline", "softbreak", "hardbreak"} == set()
    assert "html_inline" not in kinds
    assert len(made) == len(raw)
    for block in made:  # our own, which fold a section away
        assert re.sub(r"<summary>[^<>]*</summary>", "", block).strip() in (
            "<details>",
            "</details>",
        )


@pytest.mark.parametrize("name", HOSTILE)
def test_in_html_it_is_text(marked, name):
    page = html(with_text(marked, HOSTILE[name]))
    assert shape(page) == shape(html(with_text(marked, "text")))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_in_a_terminal_it_is_text(marked, name, live):
    plain, found = (printed(with_text(marked, t), live) for t in ("text", HOSTILE[name]))
    assert set(SGR.findall(found)) == set(SGR.findall(plain))
    assert CONTROLS.findall(SGR.sub("", found)) == []
    if not live and len(HOSTILE[name]) < 200:
        assert found.count("\n") == plain.count("\n")


@pytest.mark.parametrize(
    "text", ["\x1b[31m", "\u202e", "\x9b", "a\\b", "x_y", "&amp;", "<b>", "#1"]
)
def test_what_does_nothing_any_more_still_reads_as_it_was(text):
    (inline,) = MarkdownIt("commonmark").parse(f"- {safe(text)}")[2:3] or [None]
    shown = MarkdownIt("commonmark").parse(safe(text))[1]
    read = "".join(child.content for child in shown.children)
    assert inline is not None
    assert read == "".join(
        one
        if one.isprintable()
        else f"\\x{ord(one):02x}"
        if ord(one) < 256
        else f"\\u{ord(one):04x}"
        for one in text
    )


def test_an_address_in_a_report_is_no_link_where_bare_ones_are():
    made = safe(HOSTILE["bare address"])
    assert not re.search(r"https?://|www\.|mailto:", made)
    assert OPENS in MarkdownIt("commonmark").render(made)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_in_a_browser_nothing_runs(marked, tmp_path):
    """One page with all texts in all places, and what would tell of a script that ran."""
    page = html(with_text(marked, " ".join(HOSTILE.values())))
    told = (
        "<script>for (const name of ['alert', 'confirm', 'prompt']) window[name] ="
        " () => { window.__hit = 1 };"
        "const title = document.title;"
        "addEventListener('load', () => setTimeout(() => { document.documentElement.dataset.told ="
        " String(window.__hit) + (document.title === title) + document.images.length"
        " + document.scripts.length }, 500))</script></head>"
    )
    file = tmp_path / "report.html"
    file.write_text(page.replace("</head>", told, 1), encoding="utf-8", errors="replace")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=3000", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert 'data-told="undefinedtrue01"' in done.stdout
