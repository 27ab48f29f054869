"""Where candidates are tried: each is prepared and answers validation rows, as an arm of its own.

What was done is written down step by step, so that a fit that was killed goes on and nothing is
done twice. Knows nothing of which candidate comes next or wins.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import registry
from harness.errors import FOR_ALL_ITEMS
from harness.files.atomic import atomic_write
from harness.files.removal import remove
from harness.run.job import FinishedFit
from harness.run.worker.candidate import Candidate
from harness.run.worker.clock import Clock
from harness.run.worker.context import Outfit
from harness.run.worker.predict import describe, predict_all
from harness.store.fit_account import ARTIFACT, TRAIN_LOG
from harness.store.records import Note
from harness.store.search_record import packed, unpacked
from harness.types import RESUMED_S, Example, Split

JOURNAL, READY = "journal.jsonl", "ready.json"
"""Files of a search's folder: what was done; and of a candidate's: its artifact is complete, and
what was noted and taken over on the way."""


class Bench:
    """Prepares candidates of one job and has them answer.

    Args:
        outfit: of the job.
        train: rows to learn from.
        validation: all rows that a candidate may choose on, as an arm would.
        rows: those of them that candidates are compared on, in this order.
    """

    def __init__(
        self, outfit: Outfit, train: Split, validation: Split, rows: Sequence[Example]
    ) -> None:
        self.outfit = outfit
        self.workspace = outfit.workspace
        self.train, self.validation, self.rows = train, validation, rows
        assert self.workspace.scratch is not None
        self.folder = self.workspace.scratch / "search"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._known = _read_journal(self.folder / JOURNAL)
        self.spent_s = 0.0
        self.spent_usd: float | None = 0.0
        self.resumed_s = 0.0
        """What earlier attempts at the same fit had done already."""

    def accepts(self, changed: Mapping[str, Any]) -> bool:
        """Tell whether the strategy takes a set of parameters."""
        job, base = self.workspace.job, self.outfit.base
        try:
            strategy = registry.find(job.strategy, base)
            registry.resolved_params(strategy, {**job.params, **changed}, base)
        except Exception:  # pydantic's, or whatever a validator of somebody else's raises
            return False
        return True

    def prepare(self, candidate: Candidate) -> None:
        """Have a candidate learn, unless it has; a failure is its error."""
        self._step(candidate, "fit", 0, lambda: self._fit(candidate))
        candidate.prepared_s, candidate.prepared_usd = candidate.wall_s, candidate.usd

    def answer(self, candidate: Candidate, upto: int) -> None:
        """Have a candidate answer the rows up to one that it did not answer yet."""
        if candidate.error is None and upto > candidate.rows:
            self._step(candidate, "answer", upto, lambda: self._answer(candidate, upto))

    def artifact(self, candidate: Candidate) -> Path:
        """Return the folder of a candidate's artifact, made again if it is gone."""
        folder = self._folder(candidate)
        if not (folder / READY).is_file():
            with Clock() as clock:
                self._fit(candidate)
            self.spent_s += clock.wall_s
        return folder / ARTIFACT

    def adopt(self, candidate: Candidate) -> None:
        """Make a candidate's artifact the arm's, with what it logged, noted and took over."""
        workspace, folder = self.workspace, self._folder(candidate)
        made = self.artifact(candidate)
        outfit = self.outfit_of(candidate, holds_out=False)
        strategy = outfit.strategy()
        notes, adopted = _told(folder / READY)
        # One that refits was held off from the rows that it was scored on.
        if registry.refits(type(strategy), strategy.params, outfit.base):
            remove(folder / TRAIN_LOG)
            strategy.fit(self.train, self.validation, workspace.artifact)
            notes, adopted = outfit.notes, outfit.adopted
        else:
            put_in_place(made, workspace.artifact)
        for note in notes:
            self.outfit.note(note.kind, note.text)
        self.outfit.adopted += adopted
        log = folder / TRAIN_LOG
        if log.is_file() and workspace.train_log is not None:
            shutil.copyfile(log, workspace.train_log)

    def drop(self, candidate: Candidate) -> None:
        """Delete a candidate's artifact: it cannot win any more."""
        folder = self._folder(candidate)
        (folder / READY).unlink(missing_ok=True)
        remove(folder / ARTIFACT)

    def _folder(self, candidate: Candidate) -> Path:
        return self.folder / f"{candidate.number:03}"

    def outfit_of(self, candidate: Candidate, holds_out: bool = True) -> Outfit:
        """Return the outfit of a candidate: the job's, with other parameters and another folder."""
        job, place = self.workspace.job, self._folder(candidate).relative_to(self.workspace.root)
        changed = {
            "params": {**job.params, **candidate.changed},
            "folder": place,
            "artifact": place / ARTIFACT,
            "search": None,
            "holds_out_validation": holds_out,
        }
        made = Outfit(replace(self.workspace, job=job.model_copy(update=changed)))
        vars(made)["documents"] = self.outfit.documents  # read once for all
        return made

    def _fit(self, candidate: Candidate) -> None:
        folder = self._folder(candidate)
        (folder / READY).unlink(missing_ok=True)
        remove(folder / ARTIFACT)
        (folder / ARTIFACT).mkdir(parents=True)
        outfit = self.outfit_of(candidate)
        outfit.strategy().fit(self.train, self.validation, folder / ARTIFACT)
        told = {
            "notes": [note.model_dump() for note in outfit.notes],
            "adopted": [done.model_dump(mode="json") for done in outfit.adopted],
        }
        atomic_write(folder / READY, json.dumps(told))

    def _answer(self, candidate: Candidate, upto: int) -> None:
        artifact = self.artifact(candidate)
        strategy = self.outfit_of(candidate).strategy()
        strategy.load(artifact)
        candidate.equivalents = strategy.equivalents()
        rows = self.rows[candidate.rows : upto]
        predictions = predict_all(strategy, [row.query for row in rows])
        found = self.outfit.statistics(predictions, rows)
        known = candidate.statistics if candidate.rows else np.zeros((0, found.shape[1]))
        candidate.statistics = np.concatenate([known, found])

    def _step(self, candidate: Candidate, what: str, upto: int, do: Any) -> None:
        """Do one step of a candidate, or take it from the journal; account for what it took."""
        known = self._known.get((candidate.number, what, upto))
        if known is not None and known["changed"] == _json(candidate.changed):
            candidate.error, wall_s, usd = known["error"], known["wall_s"], known["usd"]
            candidate.equivalents = known.get("equivalents", {})
            if known["statistics"] is not None:
                candidate.statistics = unpacked(known["statistics"], known["width"])
            self.resumed_s += wall_s
        else:
            unanswered = _unanswered()
            with Clock() as clock:
                self._try(candidate, do)
            earlier_s = _resumed_s(self._folder(candidate))
            self.resumed_s += earlier_s
            wall_s, usd = clock.wall_s + earlier_s, _charged(clock)
            if _unanswered() == unanswered:  # else it is done again, when the server answers
                self._write_down(candidate, what, upto, wall_s, usd)
        candidate.wall_s += wall_s
        candidate.usd = None if None in (candidate.usd, usd) else candidate.usd + usd
        self.spent_s += wall_s
        self.spent_usd = None if None in (self.spent_usd, usd) else self.spent_usd + usd

    def _try(self, candidate: Candidate, do: Any) -> None:
        """Do something of a candidate's; what it raises is its error, unless all would meet it."""
        try:
            do()
        except FOR_ALL_ITEMS:
            raise
        except Exception as problem:
            traceback.print_exc()
            candidate.error = describe(problem, (self.workspace.folder,))
            self.drop(candidate)
        finally:
            _forget()

    def _write_down(
        self, candidate: Candidate, what: str, upto: int, wall_s: float, usd: float | None
    ) -> None:
        answered = what == "answer" and candidate.error is None
        line = {
            "number": candidate.number,
            "step": [what, upto],
            "changed": _json(candidate.changed),
            "wall_s": wall_s,
            "usd": usd,
            "error": candidate.error,
            "equivalents": _json(candidate.equivalents),
            "width": candidate.statistics.shape[1],
            "statistics": packed(candidate.statistics) if answered else None,
        }
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


def _told(ready: Path) -> tuple[list[Note], list[FinishedFit]]:
    """Return what was noted and taken over when a candidate was prepared."""
    told = json.loads(ready.read_text(encoding="utf-8"))
    return (
        [Note.model_validate(note) for note in told["notes"]],
        [FinishedFit.model_validate(done) for done in told["adopted"]],
    )


def put_in_place(made: Path, artifact: Path) -> None:
    """Lay a candidate's artifact where the arm's is to be; the files are shared, not copied."""
    shutil.copytree(made, artifact, dirs_exist_ok=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:  # a file system without such links
        shutil.copy2(source, target)


def _read_journal(path: Path) -> dict[tuple[int, str, int], dict[str, Any]]:
    """Return the steps that were done, by candidate and step; a line that was cut off is none."""
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            row = json.loads(line)
            found[int(row["number"]), str(row["step"][0]), int(row["step"][1])] = row
        except (ValueError, KeyError, TypeError, IndexError):
            continue
    return found


def _json(changed: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(changed)))


def _charged(clock: Clock) -> float | None:
    """Return what hosted models charged; None where one did not say."""
    charges = [answer.usd for answer in clock.answers]
    known = [usd for usd in charges if usd is not None]
    return sum(known) if len(known) == len(charges) else None


def _resumed_s(folder: Path) -> float:
    """Take what a training says that it went on from, having been interrupted in the middle."""
    found = 0.0
    for file in folder.rglob(RESUMED_S):
        with suppress(OSError, ValueError):
            found += sum(max(0.0, float(line)) for line in file.read_text("utf-8").split())
        file.unlink(missing_ok=True)
    return found


def _unanswered() -> int:
    """Return how many requests servers have failed to answer so far in this process."""
    lm = sys.modules.get("harness.lm")
    return sum(model.unanswered or 0 for model in lm.loaded_models()) if lm else 0


def _forget() -> None:
    """Let go of a candidate's model before the next one is loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if lm := sys.modules.get("harness.lm"):
        lm.clear_prefixes()
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
