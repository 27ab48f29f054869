"""Learning curves on ticket_triage and banking77: tfidf, encoder, few_shot and LoRA.

Each is a task that `python -m harness run` runs as it runs anybody's, in `runs/curves`; a run that
was interrupted goes on where it stopped. What was found is kept in `found/curves/`, and drawn at
the end of directions.md. No peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import directions
from benchmarks.cuts import FULL, QUICK, ROOT, write_banking77
from benchmarks.findings import KEPT, curve_in, keep, kept_curves
from benchmarks.sides import NO_PEER, Sides
from harness.files.yaml_source import Source
from harness.store.run_folder import RunFolder

PACKAGES = ()
RUNS = Path("runs") / "curves"
PARTS = directions.CURVES
TASK = ROOT / "tasks" / "ticket_triage" / "task.yaml"
ARMS = ("tfidf", "encoder", "few_shot", "lora_upper")
"""Names in ticket_triage, whose settings the other task takes over: its tuned arm is the one that
two cores can train so often."""
SIZES: Mapping[str, list[Any]] = {
    "ticket_triage": [25, 50, 100, 200, "all"],
    "banking77_10": [25, 50, 100, 200, "all"],
}
TIMEOUT_MIN = 24 * 60
"""For one training: scores are compared, not times."""


def run(sides: Sides) -> dict[str, Any]:
    """Run the curves, or go on with them, and draw the page after each; no other side."""
    root = RUNS / "quick" if sides.quick else RUNS
    only = ["--only", "tfidf"] if sides.quick else []
    found, page = (
        (root / "found", root / "directions.md") if sides.quick else (KEPT, directions.PAGE)
    )
    for name in sides.chosen(PARTS):
        task = written(name, root / "tasks" / name, quick=sides.quick)
        command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(root / name)]
        ended = subprocess.run([*command, *only], check=False, stdout=sys.stderr)
        sides.say(f"{name} ended with code {ended.returncode}")
        keep_curve(sides, name, RunFolder(root / name), found)
        directions.draw(found, page)
    curves = kept_curves(PARTS, found)
    return {
        **NO_PEER,
        "curves": {name: each.curve.model_dump(mode="json") for name, each in curves.items()},
    }


def keep_curve(sides: Sides, name: str, folder: RunFolder, found: Path) -> None:
    """Keep what a task's run came to, and say so if more is known of it from another run."""
    curve = curve_in(folder) if folder.truth.is_file() else None
    if curve is None:
        return
    if lost := keep(name, curve, found / "curves"):
        sides.say(f"{name} is left as it was kept: {', '.join(lost)} had finished there")


def written(name: str, folder: Path, *, quick: bool) -> Path:
    """Write the task of a curve: the task itself or the cut, with these arms and sizes."""
    shipped = Source(TASK, "clone the repository whole").value
    if name == "ticket_triage":
        task = dict(shipped)
        data = task["data"]
        data.pop("corpus")  # none of these arms reads it
        for split in ("train", "validation", "test"):
            data[split] = str((TASK.parent / data[split]).resolve())
        task["prices"] = str((TASK.parent / task["prices"]).resolve())
    else:
        path = write_banking77(folder, QUICK if quick else FULL, 10)
        task = json.loads(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    task |= {
        "strategies": [arm for arm in shipped["strategies"] if _name(arm) in ARMS],
        "curve": {"sizes": SIZES[name], "repeats": 3},
        "noise": 0.1,
        "run": {"timeout_min": TIMEOUT_MIN},
        "facts": {"forgetting": False, "robustness": False, "floors": False},
    }
    path = folder / "task.yaml"
    path.write_text(json.dumps(task, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _name(arm: Any) -> str:
    """Return the name of an arm as a task file writes it."""
    return str(arm if isinstance(arm, str) else arm.get("name", arm["use"]))
