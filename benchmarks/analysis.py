"""What large tasks ask of the parent: `check`, a run, and a report, in CPU seconds and memory.

Made-up rows of twelve words. A million training rows and 200,000 test rows are checked, once more
with `--deep`; 200,000 test rows are run with three arms, whose own processes do not count; twelve
arms over 10,000 rows are reported. Needs no model; no peer.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.measure import measured
from benchmarks.sides import NO_PEER, Side, Sides

PACKAGES = ()
MODEL = None
SHRINK = 20
"""A quick run has so many times fewer rows."""
SEED = 0
WORDS = 12
ARMS = '''
"""Arms that answer at random, with a probability for each label."""

import math
import random

from harness import Params, Prediction, Strategy


class Guess(Strategy):
    """Right on some rows."""

    answers = frozenset({"choice"})

    class Params(Params):
        """Which guesses."""

        seed: int

    def fit(self, train, validation, artifact):
        (artifact / "seed").write_text(str(self.params.seed))

    def load(self, artifact):
        self.seed = int((artifact / "seed").read_text())

    def predict(self, queries):
        labels = list(self.context.task.labels)
        even = dict.fromkeys(labels, -math.log(len(labels)))
        return [self.answer(query, labels, even) for query in queries]

    def answer(self, query, labels, even):
        draw = random.Random(f"{query.id} {self.seed}")
        hint = query.text.rpartition(" ")[2]
        said = hint if hint in even and draw.random() < 0.8 else draw.choice(labels)
        return Prediction(said, label_logprobs=even, prompt=query.text)
'''


def run(sides: Sides) -> dict[str, Any]:
    """Write the tasks, do what is measured, and return the figures."""
    shrink = SHRINK if sides.quick else 1
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        checked = _write(Path(folder, "check"), 1_000_000 // shrink, 200_000 // shrink, 2, 0)
        figures = {"check": _figures(sides.run(_command, words=["check", str(checked)]))}
        side = sides.run(_command, words=["check", "--deep", str(checked)])
        figures["check_deep"] = _figures(side)
        ran = _write(Path(folder, "run"), 1_000, 200_000 // shrink, 2, 2)
        side = sides.run(_command, words=["run", str(ran), "--out", f"{folder}/of-run"])
        figures["run"] = _figures(side) | _beyond(side, ran.parent / "test.jsonl", sides)
        for labels in (77, 500):
            task = _write(Path(folder, str(labels)), 1_000, 10_000 // shrink, labels, 12)
            out = f"{folder}/of-{labels}"
            sides.run(_command, words=["run", str(task), "--out", out])
            side = sides.run(_command, words=["report", out])
            figures[f"report_{labels}_labels"] = _figures(side)
    return {**NO_PEER, "figures": figures}


def _command(words: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a command of the harness in this interpreter."""
    from harness.cli.commands import run_command

    def work() -> None:
        if code := run_command(words):
            raise RuntimeError(f"{' '.join(words)} ended with {code}")

    _, measurement = measured(work)
    return measurement, {"cpu_s": process_time()}


def _nothing() -> tuple[dict[str, Any], dict[str, Any]]:
    """Import what a run imports, and do nothing: the memory that no row causes."""

    def work() -> None:
        import scipy.sparse
        import scipy.special  # noqa: F401

        import harness.analysis
        import harness.run.runner
        import harness.task  # noqa: F401

    _, measurement = measured(work)
    return measurement, {}


def _figures(side: Side) -> dict[str, Any]:
    return {
        "cpu_s": round(side.values["cpu_s"], 1),
        "wall_s": round(side.wall_s, 1),
        "peak_rss_bytes": side.peak_rss_bytes,
    }


def _beyond(side: Side, test: Path, sides: Sides) -> dict[str, float]:
    """Return the bytes of a test row beyond its text: what the process grew by, over the rows."""
    with test.open() as stream:
        rows, text = 0, 0
        for line in stream:
            rows, text = rows + 1, text + len(json.loads(line)["text"])
    grown = side.peak_rss_bytes - sides.run(_nothing).peak_rss_bytes
    return {"bytes_a_row_beyond_its_text": round((grown - text) / rows)}


def _write(folder: Path, train: int, test: int, labels: int, guesses: int) -> Path:
    """Write a task and return its file.

    Args:
        folder: a new one.
        train: training rows.
        test: test rows.
        labels: different right answers.
        guesses: arms of this file beside `majority`; 12: without it.
    """
    folder.mkdir()
    (folder / "arms.py").write_text(ARMS)
    names = [f"label{number}" for number in range(labels)]
    for split, n in (("train", train), ("test", test)):
        with (folder / f"{split}.jsonl").open("w") as stream:
            stream.writelines(f"{json.dumps(row)}\n" for row in _rows(split, n, names))
    arms: list[Any] = [] if guesses == 12 else ["majority"]
    arms += [
        {"use": "arms.py:Guess", "name": f"guess{seed}", "seed": seed} for seed in range(guesses)
    ]
    task = {
        "name": "large",
        "instruction": "Which label?",
        "answer": {"kind": "choice", "labels": names},
        "data": {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"},
        "metric": "macro_f1" if labels > 2 else "accuracy",
        "strategies": arms,
    }
    (folder / "task.yaml").write_text(json.dumps(task))
    return folder / "task.yaml"


def _rows(split: str, n: int, labels: list[str]) -> Iterator[dict[str, str]]:
    draw = random.Random(f"{SEED} {split}")
    for number in range(n):
        words = [f"word{draw.randrange(3_000)}" for _ in range(WORDS - 1)]
        label = draw.choice(labels)
        yield {"id": f"{split}{number}", "text": " ".join([*words, label]), "label": label}
