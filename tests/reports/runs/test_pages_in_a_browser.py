"""Pages on several runs in a real browser: only it knows what a page executes and how wide it is."""

from __future__ import annotations

import pytest
from browser import CHROMIUM, axe, told
from hand_made import Arm, right, write_run
from hostile_texts import HOSTILE, ONE_WORD

from harness.analysis import History, PastArm, PastRun, Timeline, compare
from harness.analysis.schema.scores import Score
from reports.runs import compared_html, history_html

pytestmark = [
    pytest.mark.process,  # a browser is one
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]
TARGETS = ["yes", "no"] * 30
SCRIPT = """
for (const fold of document.querySelectorAll('details')) fold.open = true;
const found = window.axe ? await axe.run() : { violations: [] };
return {
    ran: [...window.ran, ...(window.__hit ? ['hit'] : [])],
    wide: document.documentElement.scrollWidth,
    faults: found.violations.filter(one => one.impact != 'minor').map(one => one.id + ': ' +
        one.nodes[0].html)
};"""
BEFORE = "window.ran = []; window.alert = () => window.ran.push('alert')"


def look_at(page, folder):
    """Check that nothing runs, nothing is too wide, and axe finds nothing, on phone and screen."""
    for width in (390, 1000):
        seen = told(page, (axe() or "") + SCRIPT, width, folder, before=BEFORE)
        assert seen == {"ran": [], "wide": width, "faults": []}


def test_hostile_rows_of_two_runs_run_nothing_and_the_page_is_accessible(tmp_path):
    known = [*HOSTILE.values(), ONE_WORD]
    inputs = {"input": [known[row % len(known)] for row in range(60)]}
    runs = [
        write_run(
            tmp_path / name,
            TARGETS,
            [Arm("a", [right(TARGETS, wrong)]), Arm("b", [right(TARGETS, range(9))])],
            truth=inputs,
            instruction=instruction,
        )
        for name, wrong, instruction in (
            ("one", range(30), "<img src=x onerror=alert(1)>"),
            ("two", range(20, 40), "<script>alert(2)</script>"),
        )
    ]
    look_at(compared_html(compare(*runs)), tmp_path)


def test_hostile_words_in_a_history_run_nothing_and_the_page_is_accessible(tmp_path):
    score = Score(metric="accuracy", value=0.5, ci_low=0.4, ci_high=0.6, n=60)
    words = [*HOSTILE.values(), ONE_WORD]
    runs = tuple(
        PastRun(
            word,
            "task",
            "accuracy",
            f"2026-11-01T00:{at:02d}:00",
            str(at % 2),
            (PastArm(word, "ok", None, score, 1.0, 1.0, chosen=True),
             PastArm("b", "failed", word, None, None, None, chosen=False)),
        )
        for at, word in enumerate(words)
    )  # fmt: skip
    page = history_html(History("runs", (Timeline("task", "accuracy", runs),), tuple(words)))
    look_at(page, tmp_path)
