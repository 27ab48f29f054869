"""How long the report's browser over all rows takes: 10,000 rows of twelve arms in Chromium.

Made-up rows of thirty words, twelve labels, prompts of 300 characters around each; the page is
opened from file://, headless. Needs Chromium and no model; no peer.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sides import NO_PEER, SideError, Sides
from harness.analysis.examples.all_rows import IN_A_CHUNK, STEPS, AllRows
from reports import Browser

PACKAGES = ()
MODEL = None
ROWS, ARMS, LABELS = 10_000, 12, 12
REPEATS = 5
FIRST_ROWS_S, FILTER_S = 1.0, 0.05
"""What is aimed at: the first rows after opening, and a filter."""
FIRST = """
new Promise(done => {
  const look = () => {
    const line = document.querySelector(".row-line");
    return line && line.textContent ? done(performance.now()) : setTimeout(look, 1);
  };
  look();
})
"""
"""Milliseconds from the navigation to the first row that stands there with its text."""
FILTERS = {
    "differ": {"show": "differ"},
    "right_and_wrong": {"show": "ab"},
    "label_cell": {"gold": 3, "said": 4},
    "slice": {"slice": "0.1"},
    "score": {"max": 0.5},
}
TIMED = """
(async () => {
  await harnessRows.go({ show: "all", slice: "", gold: "", said: "", min: "", max: "", q: "" });
  const begun = performance.now();
  await harnessRows.go(%s);
  return performance.now() - begun;
})()
"""


def run(sides: Sides) -> dict[str, Any]:
    """Write the page, open it, and return milliseconds as seconds."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SideError("chromium is not installed")
    n = ROWS // 10 if sides.quick else ROWS
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        page, sizes = _written(Path(place), n)
        first, filters, search = _measured(chromium, page)
    return {
        **NO_PEER,
        "ours_s": first,
        "first_rows_s": first,
        "filters_s": filters,
        "search_s": search,
        "rows": n,
        "arms": ARMS,
        **sizes,
        "within": first < FIRST_ROWS_S and max(filters.values()) < FILTER_S,
    }


def _measured(chromium: str, page: Path) -> tuple[float, dict[str, float], float]:
    firsts: list[float] = []
    for _ in range(REPEATS):
        with _opened(chromium, page) as ask:
            firsts.append(ask(FIRST) / 1000)
    with _opened(chromium, page) as ask:
        ask(FIRST)
        filters = {
            name: median(ask(TIMED % json.dumps(change)) / 1000 for _ in range(REPEATS))
            for name, change in FILTERS.items()
        }
        ask(TIMED % json.dumps({"q": "zebra"}))  # loads every chunk
        search = median(ask(TIMED % json.dumps({"q": "needle"})) / 1000 for _ in range(REPEATS))
    return median(firsts), filters, search


def _written(place: Path, n: int) -> tuple[Path, dict[str, int]]:
    """Write the page and its texts; return it, and their sizes in bytes."""
    browser = Browser(made_up(n))
    page = place / "report.html"
    page.write_text(f"<!doctype html><meta charset='utf-8'>{browser.html}", encoding="utf-8")
    for name, text in browser.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return page, {
        "page_bytes": page.stat().st_size,
        "texts_bytes": sum(len(text.encode()) for text in browser.files.values()),
    }


def made_up(n: int) -> AllRows:
    """Return made-up rows as the browser reads them."""
    draw = random.Random(0)
    words = [f"word{number}" for number in range(2000)]
    gold = [draw.randrange(LABELS) for _ in range(n)]
    said = [
        [label if draw.random() < 0.6 else draw.randrange(LABELS) for label in gold]
        for _ in range(ARMS)
    ]
    rows = [
        {
            "i": " ".join(draw.choices(words, k=30)) + (" needle" if row % 97 == 0 else ""),
            "f": {},
            "t": [f"label {gold[row]}"],
            "a": [{"p": [0, [0]]} for _ in range(ARMS)],
        }
        for row in range(n)
    ]
    spans = [range(at, min(n, at + IN_A_CHUNK)) for at in range(0, n, IN_A_CHUNK)]
    chunks = tuple({"rows": {str(row): rows[row] for row in s}, "documents": {}} for s in spans)
    arms = [_arm(number, gold, answers, draw) for number, answers in enumerate(said)]
    index = {
        "n": n, "shown": "all", "kind": "choice", "metric": "accuracy", "binary": True,
        "low": 0.0, "high": 1.0, "labels": [f"label {number}" for number in range(LABELS)],
        "first": 0, "rival": 1, "choice": "arm0", "ids": [f"test-{row:05}" for row in range(n)],
        "gold": {"bytes": 1, "of": _packed(gold)}, "several": [], "picked": [], "size": IN_A_CHUNK,
        "slices": [{
            "column": "channel", "values": ["chat", "email", "form"],
            "of": {"bytes": 1, "of": _packed([draw.randrange(3) for _ in range(n)])},
        }],
        "arms": arms,
    }  # fmt: skip
    return AllRows(index, chunks)


def _arm(number: int, gold: list[int], said: list[int], draw: random.Random) -> dict[str, Any]:
    scores = [STEPS if a == b else 0 for a, b in zip(gold, said, strict=True)]
    return {
        "name": f"arm{number}", "tuned": number == 1, "seed": 0, "trainings": 1,
        "score": _packed(scores), "sure": _packed([draw.randrange(STEPS) for _ in gold]),
        "said": {"bytes": 1, "of": _packed(said)}, "failed": [], "declined": [],
        "prompts": [[["user", "Which label? " * 23, "\nAnswer:"]]],
    }  # fmt: skip


def _packed(values: list[int]) -> str:
    return b64encode(bytes(values)).decode()


@contextmanager
def _opened(chromium: str, page: Path) -> Iterator[Any]:
    """Open a page in a browser of its own; hand out what evaluates an expression there.

    Chromium's DevTools protocol over two pipes (`--remote-debugging-pipe`): JSON texts that end
    with a zero byte, read on its descriptor 3 and written on its 4.
    """
    read_theirs, write_ours = os.pipe()
    read_ours, write_theirs = os.pipe()

    with tempfile.TemporaryDirectory(prefix="benchmark-") as profile:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu"]
        command += [f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
        joined = f'exec "$@" 3<&{read_theirs} 4>&{write_theirs}'
        process = subprocess.Popen(
            ["sh", "-c", joined, "sh", *command],
            stderr=subprocess.DEVNULL,
            pass_fds=(read_theirs, write_theirs),
        )
        pipe = _Pipe(read_ours, write_ours)
        try:
            target = pipe.ask("Target.createTarget", url=page.as_uri())["targetId"]
            session = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            pipe.await_page(session)
            yield lambda expression: pipe.evaluate(session, expression)
        finally:
            process.terminate()
            process.wait()
            for descriptor in (read_theirs, write_theirs, read_ours, write_ours):
                os.close(descriptor)


class _Pipe:
    """The protocol's messages, one asked at a time."""

    def __init__(self, read: int, write: int):
        self.read, self.write, self.number, self.rest = read, write, 0, b""

    def ask(self, method: str, session: str | None = None, **params: Any) -> Any:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SideError(f"{method}: {answer['error']}")
                return answer["result"]

    def await_page(self, session: str) -> None:
        """Return when the page stands in the target's place, which begins as an empty one."""
        words = {"expression": "location.protocol", "returnByValue": True}
        while True:
            with suppress(SideError):  # the empty page's context ends while it is asked
                found = self.ask("Runtime.evaluate", session, **words)
                if found["result"].get("value") == "file:":
                    return

    def evaluate(self, session: str, expression: str) -> float:
        words = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        found = self.ask("Runtime.evaluate", session, **words)
        if "exceptionDetails" in found:
            raise SideError(str(found["exceptionDetails"]))
        return float(found["result"]["value"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.read, 1 << 16)
            if not part:
                raise SideError("chromium ended")
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found
