"""Kills a run at random moments, goes on with it, and holds the outcome beside an undisturbed one.

A small task with a metric of its own, whose two arms need no model. What became of each kill is one
line of a file, so the battery goes on where it was interrupted. Knows nothing of how a run keeps
its records: it sees commands, exit codes and comparison.json.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

SEED = 0
TEMPORARY = "TMPDIR"
HOW = {
    "parent, SIGKILL": (False, signal.SIGKILL),
    "worker, SIGKILL": (True, signal.SIGKILL),
    "parent, SIGTERM": (False, signal.SIGTERM),
    "parent, SIGINT": (False, signal.SIGINT),
}
"""Whether one of the processes that the run started is meant, and the signal."""
MEASURED = frozenset(
    {
        "p50_s", "p95_s", "p50_cold_s", "throughput_per_s", "fit_wall_s", "wall_s", "machine_s",
        "fit_peak_bytes", "fit_peak_ram_bytes", "predict_peak_bytes", "predict_peak_ram_bytes",
        "foresight", "started_at", "sha256", "git_commit",
    }
)  # fmt: skip
"""Keys of comparison.json that two undisturbed runs differ in: times, memory, and their hash; the
commit where the tree is worked on meanwhile."""
IN_TEXT = re.compile(r"\d[\d.,]*\s(?:µs|ms|s|min|h|MiB|GiB)\b")
BUSY = re.compile(r"busy machine")
"""What a warning says that is about the machine, not about the run."""
ENDS_WITHIN_S = 300.0
STRATEGIES = '''
"""An arm that learns and needs no model, and a metric."""

import json
from collections import Counter

from harness import Prediction, Strategy


class Counts(Strategy):
    """Says the label that the words of a text went with most often."""

    needs_train = True

    def fit(self, train, validation, artifact):
        seen = {}
        for step, example in enumerate(train):
            for word in example.query.text.split():
                seen.setdefault(word, Counter())[example.targets[0]] += 1
            self.context.log(step=step, train_loss=1.0 / (step + 1))
        (artifact / "words.json").write_text(json.dumps(seen))

    def load(self, artifact):
        self.seen = json.loads((artifact / "words.json").read_text())

    def predict(self, queries):
        return [Prediction(self.label_of(query.text), prompt=query.text) for query in queries]

    def label_of(self, text):
        sum(range(200_000))  # dearer than the majority, however busy the machine is
        votes = sum((Counter(self.seen.get(word, {})) for word in text.split()), Counter())
        return max(sorted(votes), key=votes.get, default="rain")


def close(answer, targets):
    """Whether the first letter is right."""
    return float(answer[:1] == targets[0][:1])
'''


def kills(folder: Path, times: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Kill as many runs as asked for, and return what became of them.

    Args:
        folder: keeps what was found; what is in it is not done again.
        times: kills, shared evenly among the ways of `HOW`.
        say: told each kill that was not survived.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "kills.jsonl"
    found = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    if len(found) < times:
        expected, whole_s = _undisturbed(folder / "undisturbed")
        for number in range(len(found), times):
            found.append(_kill(folder / "killed", number, expected, whole_s))
            with kept.open("a") as stream:
                stream.write(json.dumps(found[-1]) + "\n")
            if not found[-1]["survived"]:
                say(f"kill {number}: {found[-1]}")
    ways = {how: [one for one in found[:times] if one["how"] == how] for how in HOW}
    return {
        "kills": times,
        "survived": sum(one["survived"] for one in found[:times]),
        "by_way": {
            how: [sum(o["survived"] for o in ones), len(ones)] for how, ones in ways.items()
        },
        "before_a_record": sum(one["arms_recorded"] == 0 for one in found[:times]),
        "not_survived": [one for one in found[:times] if not one["survived"]],
    }


def _undisturbed(folder: Path) -> tuple[Any, float]:
    """Return what two undisturbed runs agree on, and the seconds that the second one took."""
    outcomes = []
    for _ in range(2):
        place, begin = _fresh(folder), monotonic()
        done = _ended(_begun(place), place)
        if done[0] != 0:
            raise RuntimeError(f"an undisturbed run ended with {done[0]}: {done[1]}")
        outcomes.append(essence(place))
        whole_s = monotonic() - begin
    if differ := list(differences(*outcomes)):
        raise RuntimeError(f"two undisturbed runs differ: {differ[:5]}")
    return outcomes[0], whole_s


def _kill(folder: Path, number: int, expected: Any, whole_s: float) -> dict[str, Any]:
    """Kill one run, go on with it, and say what came out.

    Args:
        folder: made anew.
        number: of the kill; seeds its moment.
        expected: of an undisturbed run.
        whole_s: how long that took.
    """
    how = list(HOW)[number % len(HOW)]
    draw = random.Random(f"{SEED} {number}")
    while True:  # a run that ended before its moment is not killed: another moment is drawn
        place, moment_s = _fresh(folder), draw.uniform(0, whole_s)
        process = _begun(place)
        sleep(moment_s)
        if _struck(process, *HOW[how], draw):
            break
        _ended(process, place)
    code, _ = _ended(process, place)
    recorded = _arms_recorded(place)
    again, errors = _ended(_begun(place), place)
    problems = [f"exit code {again}: {errors[-500:]}"] if again else []
    problems += [] if again else [f"{d}"[:300] for d in differences(expected, essence(place))]
    problems += [f"left behind: {path.name}" for path in (place / "temporary").iterdir()]
    problems += [f"still runs: {pid}" for pid in _left(place)]
    return {
        "number": number, "how": how, "moment_s": round(moment_s, 3), "exit_code": code,
        "arms_recorded": recorded, "survived": not problems, "problems": problems[:5],
    }  # fmt: skip


def _struck(
    process: subprocess.Popen[bytes], worker: bool, number: int, draw: random.Random
) -> bool:
    """Send a signal to a run, or to one of the processes it started; False if it had ended.

    A worker's signal waits for the next worker, where none runs at that moment.
    """
    while process.poll() is None:
        if not worker:
            process.send_signal(number)
            return True
        try:
            children = psutil.Process(process.pid).children(recursive=True)
            if children:
                draw.choice(sorted(children, key=lambda child: child.pid)).send_signal(number)
                return True
        except psutil.NoSuchProcess:
            continue
        sleep(0.005)
    return False


def _fresh(folder: Path) -> Path:
    """Write the task into an empty folder, at the same path each time: commands are on record."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "temporary").mkdir(parents=True)
    (folder / "own.py").write_text(STRATEGIES)
    weather = ("rain all day", "sun and no cloud", "rain again", "sun at last", "no sun but rain")
    for split, n in (("train", 24), ("validation", 8), ("test", 40)):
        with (folder / f"{split}.jsonl").open("w") as stream:
            for i in range(n):
                text = weather[i % len(weather)]
                label = "rain" if "rain" in text else "sun"
                row = {"id": f"{split}-{i}", "text": f"{text} {split} {i}", "label": label}
                stream.write(json.dumps(row) + "\n")
    splits = {split: f"{split}.jsonl" for split in ("train", "validation", "test")}
    task = {
        "name": "weather",
        "instruction": "Rain or sun?",
        "answer": {"kind": "choice", "labels": ["rain", "sun"]},
        "data": {**splits, "input": "text", "target": "label"},
        "metric": "accuracy",
        "also": ["own.py:close"],
        "strategies": ["majority", "own.py:Counts"],
    }
    (folder / "task.yaml").write_text(json.dumps(task, indent=1))
    return folder


def _begun(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", "run", "task.yaml", "--out", "run"],
            cwd=folder,
            stdout=out,
            stderr=errors,
            env={
                **os.environ,
                TEMPORARY: str(folder / "temporary"),
                "XDG_CONFIG_HOME": str(folder / "config"),
                "OMP_NUM_THREADS": "1",
            },
            # A shell that starts this in the background makes its children deaf to Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )


def _ended(process: subprocess.Popen[bytes], folder: Path) -> tuple[int, str]:
    """Wait for a run's end; return its exit code and what it wrote to stderr."""
    code = process.wait(ENDS_WITHIN_S)
    return code, (folder / "stderr").read_text(errors="replace")


def _arms_recorded(folder: Path) -> int:
    """Return how many whole records of trials a run left."""
    try:
        lines = (folder / "run" / "records.jsonl").read_bytes().splitlines(keepends=True)
    except OSError:
        return 0
    return sum(b'"kind":"trial"' in line and line.endswith(b"\n") for line in lines)


def _left(folder: Path) -> list[int]:
    """Return processes of a run that has ended which do not end within some seconds."""
    mark = f"{TEMPORARY}={folder / 'temporary'}"
    for _ in range(200):
        living = [process.pid for process in psutil.process_iter() if mark in _environment(process)]
        if not living:
            break
        sleep(0.05)
    return living


def _environment(process: psutil.Process) -> list[str]:
    try:
        return [f"{name}={value}" for name, value in process.environ().items()]
    except psutil.Error:
        return []


def essence(folder: Path) -> Any:
    """Return comparison.json without what is measured anew each time."""
    return _unmeasured(json.loads((folder / "run" / "comparison.json").read_text()))


def _unmeasured(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _unmeasured(v) for k, v in value.items() if k not in MEASURED}
    if isinstance(value, list):
        texts = (json.dumps(v) for v in value)
        return [
            _unmeasured(v) for v, text in zip(value, texts, strict=True) if not BUSY.search(text)
        ]
    return IN_TEXT.sub("…", value) if isinstance(value, str) else value


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Yield each place in which two values of JSON differ, with both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from differences(one.get(key), other.get(key), f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{place}]")
    elif one != other:
        yield f"{where}: {one!r} and {other!r}"
