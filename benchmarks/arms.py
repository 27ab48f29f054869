"""Every family of arms beside the peer that a practitioner would use, on the same rows and model.

A peer's answers enter the run of a cut as a `predictions` arm, so that both are scored on the same
rows by the same rule. What a cut came to is kept in `found/arms/`, a peer's answers in `runs/arms`,
and a run that was interrupted goes on where it stopped. The page is `arms.md`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arm_peers import answers
from benchmarks.arms_page import drawn, pooled
from benchmarks.cuts import WRITERS, Arm, Size
from benchmarks.findings import KEPT, found_in, kept
from benchmarks.sides import NO_PEER, SideError, Sides
from harness.store.run_folder import RunFolder

PACKAGES = ("trl", "setfit")
RUNS = Path("runs") / "arms"
FOUND = KEPT / "arms"
PAGE = Path(__file__).parent / "arms.md"


@dataclass(frozen=True)
class Contest:
    """One of our arms and the peer that it is held against on a cut."""

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
CUTS: Mapping[str, tuple[Size, tuple[Contest, ...]]] = {
    "banking77_10": (LIMITED, (CLASSIC, ENCODER, PROMPTED, FIXED, TUNED)),
    "banking77_77": (Size(500, 100, 300, documents=0), (CLASSIC, ENCODER, PROMPTED, FIXED)),
    "banking77_all": (Size(8000, 2000, 3000, documents=0), (CLASSIC,)),
    "snips": (LIMITED, (PROMPTED, WRITTEN)),
    "e2e_nlg": (LIMITED, (PROMPTED, WRITTEN)),
    "squad": (LIMITED, (RETRIEVAL,)),
}
"""Cut to its rows and contests; small enough for two cores, and cheap arms on whole sets too."""
QUICK = ("banking77_10",)
SCORED = {"e2e_nlg": "rouge_l"}
"""Metrics that stand in for a cut's own, where that is no mean of items and cannot be pooled."""


def run(sides: Sides) -> dict[str, Any]:
    """Run every cut, or go on with it, and draw the page."""
    for name in QUICK if sides.quick else CUTS:
        _run_cut(sides, name)
    findings = kept(tuple(CUTS), FOUND)
    contests = {name: contests for name, (_, contests) in CUTS.items()}
    PAGE.write_text(drawn(findings, contests), encoding="utf-8")
    return {
        **NO_PEER,
        "families": [vars(found) for found in pooled(findings, contests)],
    }


def _run_cut(sides: Sides, name: str) -> None:
    """Let the peers answer, run our arms beside their answers, and keep what came out."""
    size, contests = CUTS[name]
    task = _write(name, size)
    given = [path for c in contests if (path := _peer(sides, task.parent, c.peer)) is not None]
    whole = json.loads(task.read_text())
    ours = {contest.name: dict(contest.ours) for contest in contests}
    peers: list[Arm] = [
        {"use": "predictions", "name": path.stem, "file": str(path.resolve())} for path in given
    ]
    whole["strategies"] = [*ours.values(), *peers]
    whole["metric"] = SCORED.get(name, whole["metric"])
    whole["also"] = [metric for metric in whole.get("also", ()) if metric != whole["metric"]]
    whole.pop("seeds")  # the default: three for arms whose training is random
    task.write_text(json.dumps(whole, indent=1, ensure_ascii=False))
    command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(RUNS / name)]
    ended = subprocess.run(command, check=False, stdout=sys.stderr)
    sides.say(f"{name} ended with code {ended.returncode}")
    if not (folder := RunFolder(RUNS / name)).truth.is_file():
        return
    FOUND.mkdir(parents=True, exist_ok=True)
    text = found_in(folder, {path.stem for path in given}).model_dump_json(indent=1)
    (FOUND / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _write(name: str, size: Size) -> Path:
    """Write a cut's task and rows."""
    writer = WRITERS["banking77_77" if name == "banking77_all" else name]
    return writer(RUNS / "tasks" / name, size)


def _peer(sides: Sides, folder: Path, peer: str) -> Path | None:
    """Return the file of a peer's answers, made now if it is not there; None: the peer failed."""
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
    rows: Sequence[str] = [
        json.dumps({"id": row_id, "text": text}, ensure_ascii=False)
        for row_id, text in side.values["answers"].items()
    ]
    file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return file
