"""Every family of arms beside the peer that a practitioner would use, on the same rows and model.

A peer's answers enter the run of our arm as a `predictions` arm, so that both are scored on the
same rows by the same rule. What a round came to is kept in `found/arms/`, a peer's answers in
`runs/arms`, and a run that was interrupted goes on where it stopped. The page is `arms.md`, drawn
after each round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arm_peers import answers
from benchmarks.arms_page import Family, drawn, pooled
from benchmarks.cuts import WRITERS, Size
from benchmarks.findings import KEPT, found_in, keep, kept
from benchmarks.sides import NO_PEER, SideError, Sides
from harness.files.atomic import atomic_write
from harness.store.run_folder import RunFolder

PACKAGES = ("trl", "setfit")
RUNS = Path("runs") / "arms"
FOUND = KEPT / "arms"
PAGE = Path(__file__).parent / "arms.md"
TIMEOUT_MIN = 24 * 60
"""For one arm: scores are compared, not times, and a machine with other work may take long."""


@dataclass(frozen=True)
class Contest:
    """One of our arms and a peer that it is held against."""

    family: str
    ours: Mapping[str, Any]
    peer: str

    @property
    def name(self) -> str:
        """The name of our arm."""
        return str(self.ours.get("name", self.ours["use"]))


CLASSIC = Contest("classic", {"use": "classic"}, "sklearn_union")
ENCODER = Contest(
    "encoder", {"use": "encoder", "name": "encoder_contrastive", "trains": "contrastive"}, "setfit"
)
PROMPTED = Contest("prompted", {"use": "few_shot"}, "lm_eval_nearest")
FIXED = Contest("prompted, fixed demonstrations", {"use": "few_shot"}, "lm_eval_fixed")
TUNED = Contest("tuned, choices", {"use": "lora"}, "peft_classification")
WRITTEN = Contest("tuned, written answers", {"use": "lora"}, "trl")
RETRIEVAL = Contest("retrieval", {"use": "rag"}, "llama_index")
LIMITED = Size(250, 60, 200, documents=0)
SIZES: Mapping[str, Size] = {
    "banking77_10": LIMITED,
    "banking77_77": Size(500, 100, 300, documents=0),
    "banking77_all": Size(8000, 2000, 3000, documents=0),
    "snips": LIMITED,
    "e2e_nlg": LIMITED,
    "squad": LIMITED,
}
"""Cut to its rows: few enough for two cores; for cheap arms a whole set too."""
SCORED = {"e2e_nlg": "rouge_l"}
"""Metrics that stand in for a cut's own, where that is no mean of items and cannot be pooled."""


@dataclass(frozen=True)
class Round:
    """One of our arms on one cut, with all the peers that it is held against there: one run."""

    cut: str
    contests: tuple[Contest, ...]

    @property
    def name(self) -> str:
        """What it is called with `--only`, and its place among run folders and findings."""
        return f"{self.cut}/{self.contests[0].name}"


ROUNDS = (
    Round("banking77_10", (CLASSIC,)),
    Round("banking77_10", (PROMPTED, FIXED)),
    Round("squad", (RETRIEVAL,)),
    Round("banking77_77", (CLASSIC,)),
    Round("snips", (PROMPTED,)),
    Round("banking77_10", (ENCODER,)),
    Round("e2e_nlg", (PROMPTED,)),
    Round("banking77_77", (ENCODER,)),
    Round("banking77_77", (PROMPTED, FIXED)),
    Round("banking77_10", (TUNED,)),
    Round("snips", (WRITTEN,)),
    Round("e2e_nlg", (WRITTEN,)),
    Round("banking77_all", (CLASSIC,)),
)
"""The cheapest first; the last two kinds take hours."""
PARTS = tuple(round_.name for round_ in ROUNDS)
QUICK = ("banking77_10/classic",)


def run(sides: Sides) -> dict[str, Any]:
    """Run every round, or go on with it, and draw the page after each."""
    names = sides.chosen(QUICK if sides.quick else PARTS)
    families: list[Family] = draw()
    for round_ in ROUNDS:
        if round_.name in names:
            _run_round(sides, round_)
            families = draw()
    return {**NO_PEER, "families": [vars(found) for found in families]}


def draw(found: Path = FOUND, page: Path = PAGE) -> list[Family]:
    """Draw the page from all that is kept."""
    findings = kept(PARTS, found)
    page.write_text(drawn(findings, ROUNDS), encoding="utf-8")
    return pooled(findings, ROUNDS)


def _run_round(sides: Sides, round_: Round) -> None:
    """Let the peers answer, run our arm beside their answers, and keep what came out."""
    cut = RUNS / "tasks" / round_.cut
    writer = WRITERS["banking77_77" if round_.cut == "banking77_all" else round_.cut]
    written = writer(cut, SIZES[round_.cut])
    given = [path for c in round_.contests if (path := _peer(sides, cut, c.peer)) is not None]
    task = cut / f"{round_.contests[0].name}.yaml"
    whole = task_of(round_, json.loads(written.read_text()), given)
    task.write_text(json.dumps(whole, indent=1, ensure_ascii=False))
    folder = RunFolder(RUNS / round_.name)
    command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(folder.path)]
    ended = subprocess.run(command, check=False, stdout=sys.stderr)
    sides.say(f"{round_.name} ended with code {ended.returncode}")
    if not folder.truth.is_file():
        return
    said = {path.stem: path.with_suffix(".txt").read_text() for path in given}
    found = found_in(folder, set(said)).model_copy(update={"chosen": said})
    if lost := keep(round_.name, found, FOUND):
        sides.say(f"{round_.name} is left as it was kept: {', '.join(lost)} had finished there")


def task_of(round_: Round, cut: dict[str, Any], given: list[Path]) -> dict[str, Any]:
    """Return a cut's task with our arm and the peers that have answered."""
    metric = SCORED.get(round_.cut, cut["metric"])
    peers = [{"use": "predictions", "name": p.stem, "file": str(p.resolve())} for p in given]
    cut.pop("seeds")  # the default: three for arms whose training is random
    return {
        **cut,
        "strategies": [dict(round_.contests[0].ours), *peers],
        "metric": metric,
        "also": [other for other in cut.get("also", ()) if other != metric],
        "run": {"timeout_min": TIMEOUT_MIN},
        "facts": {"forgetting": False, "robustness": False, "floors": False},
    }


def _peer(sides: Sides, folder: Path, peer: str) -> Path | None:
    """Return the file of a peer's answers, made now if it is not there; None: the peer failed.

    What it chose stands beside it, in words.
    """
    file = RUNS / "peers" / folder.name / f"{peer}.jsonl"
    if file.is_file():
        return file
    try:
        side = sides.run(answers, peer=peer, folder=str(folder), device=sides.device)
    except SideError as problem:  # the other contests go on, and the page lacks this one
        sides.say(f"{folder.name}: {problem}")
        return None
    sides.say(f"{folder.name}: {peer} chose {side.values['chosen']}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".txt").write_text(side.values["chosen"], encoding="utf-8")
    rows = [
        json.dumps({"id": row_id, "text": text}, ensure_ascii=False)
        for row_id, text in side.values["answers"].items()
    ]
    atomic_write(file, "".join(f"{row}\n" for row in rows))  # the last: it says that all is there
    return file
