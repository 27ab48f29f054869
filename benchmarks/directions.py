"""Which way papers' findings go on a small model: the same arms, on cuts of public sets.

Every cut is a task that `python -m harness run` runs as it runs anybody's, in `runs/directions`; a
run that was interrupted goes on where it stopped. What a cut came to is kept in a small file, and
the page is drawn from all of these. No peer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.curves_page import section
from benchmarks.cuts import FULL, QUICK, WRITERS
from benchmarks.directions_page import REFERENCES, drawn
from benchmarks.findings import KEPT, found_in, keep, kept, kept_curves
from benchmarks.outcomes import Outcome, tested
from benchmarks.papers import DIRECTIONS
from benchmarks.sides import NO_PEER, Sides
from harness.store.run_folder import RunFolder

PACKAGES = ()
PARTS = tuple(WRITERS)
CURVES = ("ticket_triage", "banking77_10")
"""Tasks whose learning curves stand at the end of the page."""
RUNS = Path("runs") / "directions"
PAGE = Path(__file__).parent / "directions.md"
QUICK_CUTS = ("banking77_10",)
QUICK_ARMS = ("tfidf", "zero_shot", "few_shot", "few_shot_nearest")
BESIDE = {*REFERENCES, *(direction.than for direction in DIRECTIONS)}


def run(sides: Sides) -> dict[str, Any]:
    """Run every cut, or go on with it, and draw the page; there is no other side."""
    names = sides.chosen(QUICK_CUTS if sides.quick else PARTS)
    size = QUICK if sides.quick else FULL
    root = RUNS / "quick" if sides.quick else RUNS
    found, page = (root / "found", root / "directions.md") if sides.quick else (KEPT, PAGE)
    outcomes: list[Outcome] = []
    for name in names:
        task = WRITERS[name](root / "tasks" / name, size)
        only = ["--only", *QUICK_ARMS] if sides.quick else []
        sides.say(f"{name}: {task}")
        command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(root / name)]
        ended = subprocess.run([*command, *only], check=False, stdout=sys.stderr)
        sides.say(f"{name} ended with code {ended.returncode}")
        keep_cut(sides, name, RunFolder(root / name), found)
        outcomes = draw(found, page)
    return {
        **NO_PEER,
        "outcomes": [
            {
                "cut": outcome.cut,
                "arm": outcome.direction.arm,
                "relation": outcome.direction.relation,
                "than": outcome.direction.than,
                "found": outcome.found,
                "metric": outcome.metric,
                **outcome.difference.model_dump(),
            }
            for outcome in outcomes
        ],
    }


def keep_cut(sides: Sides, name: str, folder: RunFolder, found: Path = KEPT) -> None:
    """Keep what a cut's run came to, and say so if more is known of it from another run."""
    if not folder.truth.is_file():
        return
    if lost := keep(name, found_in(folder, BESIDE), found):
        sides.say(f"{name} is left as it was kept: {', '.join(lost)} had finished there")


def draw(found: Path = KEPT, page: Path = PAGE) -> list[Outcome]:
    """Draw the page from all that is kept, of cuts and of `benchmarks.curves` alike."""
    findings = kept(tuple(WRITERS), found)
    outcomes = list(tested(findings))
    curves = section(kept_curves(CURVES, found))
    page.write_text(f"{drawn(findings, outcomes)}\n{curves}\n", encoding="utf-8")
    return outcomes
