"""Learning curves on ticket_triage and banking77: tfidf, encoder, few_shot and lora.

Each is a task that `python -m harness run` runs as it runs anybody's, in `runs/curves`; a run that
was interrupted goes on where it stopped. What was found is drawn into the end of directions.md. No
peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.cuts import FULL, QUICK, ROOT, write_banking77
from benchmarks.sides import NO_PEER, Sides
from harness.analysis import LearningCurve, analyse
from harness.files.yaml_source import Source
from harness.store.run_folder import RunFolder

PACKAGES = ()
RUNS = Path("runs") / "curves"
PAGE = Path(__file__).parent / "directions.md"
ARMS: tuple[Any, ...] = ("tfidf", "encoder", {"use": "few_shot", "shots": 4}, "lora")
SIZES: Mapping[str, list[Any]] = {
    "ticket_triage": [25, 50, 100, 200, "all"],
    "banking77_10": [25, 50, 100, 200, "all"],
}
HEADING = "## Learning curves"


def run(sides: Sides) -> dict[str, Any]:
    """Run both curves, or go on with them, and draw what was found; there is no other side."""
    root = RUNS / "quick" if sides.quick else RUNS
    only = ["--only", "tfidf"] if sides.quick else []
    found: dict[str, LearningCurve] = {}
    for name in SIZES:
        task = written(name, root / "tasks" / name, quick=sides.quick)
        command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(root / name)]
        ended = subprocess.run([*command, *only], check=False, stdout=sys.stderr)
        sides.say(f"{name} ended with code {ended.returncode}")
        curve = analyse(RunFolder(root / name)).learning_curve
        if curve is not None:
            found[name] = curve
    page = root / "directions.md" if sides.quick else PAGE
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    page.write_text(with_curves(text, found), encoding="utf-8")
    return {**NO_PEER, "curves": {name: c.model_dump(mode="json") for name, c in found.items()}}


def written(name: str, folder: Path, *, quick: bool) -> Path:
    """Write the task of a curve: the task itself or the cut, with these arms and sizes."""
    if name == "ticket_triage":
        source = ROOT / "tasks" / name
        task = dict(Source(source / "task.yaml").value)
        data = task["data"]
        for split in ("train", "validation", "test"):
            data[split] = str((source / data[split]).resolve())
        task["prices"] = str((source / task["prices"]).resolve())
    else:
        path = write_banking77(folder, QUICK if quick else FULL, 10)
        task = json.loads(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    task |= {"strategies": [*ARMS], "curve": {"sizes": SIZES[name], "repeats": 3}, "noise": 0.1}
    path = folder / "task.yaml"
    path.write_text(json.dumps(task, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def with_curves(page: str, found: Mapping[str, LearningCurve]) -> str:
    """Return a page with the section of curves at its end, in place of an earlier one."""
    before = page.partition(HEADING)[0].rstrip()
    return "\n".join([before, "", HEADING, "", *_lines(found)]).strip() + "\n"


def _lines(found: Mapping[str, LearningCurve]) -> Iterator[str]:
    yield "Drawn by `python -m benchmarks curves`; 95% bands and ranges."
    for name, curve in found.items():
        sizes = sorted({p.labels_n for line in curve.lines for p in line.points})
        yield from ("", f"### `{name}`", "")
        yield f"| arm ({curve.metric}) | {' | '.join(f'{size} labels' for size in sizes)} |"
        yield f"|{'---|' * (len(sizes) + 1)}"
        for line in curve.lines:
            at = {
                p.labels_n: f"{p.value:.3f} ({p.ci_low:.3f} to {p.ci_high:.3f})"
                for p in line.points
            }
            yield f"| `{line.strategy}` | {' | '.join(at.get(size, '') for size in sizes)} |"
        yield ""
        yield from (f"- {crossover.text}." for crossover in curve.crossovers)
        for effect in curve.effects:
            if (
                effect.value is not None
                and effect.ci_low is not None
                and effect.ci_high is not None
            ):
                change = f"{effect.value:+.3f} ({effect.ci_low:+.3f} to {effect.ci_high:+.3f})"
                yield f"- `{effect.strategy}` with {effect.kind} {effect.amount:g}: {change}."
