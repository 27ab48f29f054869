"""Whether a run over a Ray cluster ends as one on this machine, whatever is lost.

Three nodes of one CPU each (`ray.cluster_utils.Cluster`), on this machine. The cheap arms of
ticket_triage with a learning curve run on this machine and over the cluster; then the small task
of kills.py runs over and over while a node is removed, or the driver is killed, at a random moment.
Held against the undisturbed run on this machine: comparison.json but for times, memory and machine.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from time import monotonic, sleep
from typing import Any

from ruamel.yaml import YAML

from benchmarks import kills
from benchmarks.sides import NO_PEER, ROOT, Sides

PACKAGES = ("ray",)
MODEL = None
TIMES, QUICK_TIMES = 20, 3
"""Nodes removed, and drivers killed."""
NODES = 3
JOBS = 10
"""Of which the overhead is the mean."""
SIZES, REPEATS = 5, 3
"""Of the learning curve."""
ENDS_WITHIN_S = 900.0
ON_ANOTHER = kills.MEASURED | {"warm_s", "cold_s", "command", "node", "machine", "hardware"}
"""Keys of comparison.json that say what was measured, where, and by which command."""


def run(sides: Sides) -> dict[str, Any]:
    """Compare, remove and kill; there is no other side."""
    times = QUICK_TIMES if sides.quick else TIMES
    with tempfile.TemporaryDirectory() as folder, _cluster() as cluster:
        place = Path(folder)
        whole = _compared(_ticket_triage(place / "triage"), cluster.address, sides)
        task = kills._fresh(place / "small") / "task.yaml"
        small = _compared(task, cluster.address, sides)
        expected = small.pop("essence")
        whole.pop("essence")
        removed = [_removed(task, cluster, n, expected, small["ray_s"]) for n in range(times)]
        killed = [_killed(task, cluster, n, expected, small["ray_s"]) for n in range(times)]
        for name, ones in (("removed", removed), ("killed", killed)):
            sides.say(f"{name}: {sum(not one for one in ones)} of {times} ended alike {ones}")
        overhead = _overhead(place / "overhead", cluster.address)
    sides.say(f"a job that does nearly nothing: {overhead}")
    return {
        **NO_PEER,
        "equal": whole["equal"],
        "differences": whole["differences"],
        "removed": [sum(not one for one in removed), times],
        "killed": [sum(not one for one in killed), times],
        "problems": [one for one in (*removed, *killed) if one],
        "trials": whole["trials"],
        "here_s": whole["here_s"],
        "ray_s": whole["ray_s"],
        "small_here_s": small["here_s"],
        "small_ray_s": small["ray_s"],
        **overhead,
    }


@contextmanager
def _cluster() -> Iterator[Any]:
    """Start a head without CPUs and three nodes of one each, and end them."""
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(16),
    }
    from ray.cluster_utils import Cluster  # which reads them

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(NODES):
            made.add_node(num_cpus=1)
        yield made
    finally:
        made.shutdown()


def _ticket_triage(folder: Path) -> Path:
    """Return the task with its arms that need no model, and a learning curve."""
    shutil.copytree(ROOT / "tasks" / "ticket_triage", folder, ignore=shutil.ignore_patterns("runs"))
    yaml, file = YAML(), folder / "task.yaml"
    task = yaml.load(file)
    for key in ("model", "prices", "traffic", "labour"):  # a node of one core has another price
        del task[key]
    task["strategies"] = ["majority", "match", "tfidf"]
    rows = len((folder / task["data"]["train"]).read_text().splitlines())
    sizes = [max(24, rows * n // (SIZES + 1)) for n in range(1, SIZES + 1)]
    task["curve"] = {"sizes": sizes, "repeats": REPEATS}
    yaml.dump(task, file)
    return file


def _compared(task: Path, address: str, sides: Sides) -> dict[str, Any]:
    """Run a task on this machine, and over the cluster, and compare."""
    seconds = []
    for out, words in (("here", []), ("ray", ["--on", address])):
        begin = monotonic()
        _ended(_begun(task, out, words), out)
        seconds.append(monotonic() - begin)
    here, there = (_essence(task.parent / out) for out in ("here", "ray"))
    different = [text[:300] for text in kills.differences(here, there)]
    records = (task.parent / "ray" / "records.jsonl").read_text().splitlines()
    trials = [one for one in map(json.loads, records) if one["kind"] == "trial"]
    sides.say(
        f"{task.parent.name}: {len(trials)} trials, {seconds[0]:.0f} s here, {seconds[1]:.0f} s"
        f" over {NODES} nodes, {'equal' if not different else different[:3]}"
    )
    return {
        "equal": not different, "differences": different[:5], "trials": len(trials),
        "here_s": seconds[0], "ray_s": seconds[1], "essence": here,
    }  # fmt: skip


def _removed(task: Path, cluster: Any, number: int, expected: Any, whole_s: float) -> str:
    """Remove a node while a task runs, and put another in its place; return what went wrong."""
    draw = random.Random(f"removed {number}")
    process = _begun(task, "removed", ["--fresh", "--on", cluster.address])
    sleep(draw.uniform(0.3, 1.0) * whole_s)
    cluster.remove_node(draw.choice(sorted(cluster.worker_nodes, key=str)), allow_graceful=False)
    try:
        _ended(process, "removed")
    except RuntimeError as problem:
        return f"removed {number}: {problem}"
    finally:
        cluster.add_node(num_cpus=1)
    return _unlike(expected, task.parent / "removed", f"removed {number}")


def _killed(task: Path, cluster: Any, number: int, expected: Any, whole_s: float) -> str:
    """Kill a driver, and run its task again; return what went wrong."""
    draw = random.Random(f"killed {number}")
    process = _begun(task, "killed", ["--fresh", "--on", cluster.address])
    sleep(draw.uniform(0.3, 0.9) * whole_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        _ended(_begun(task, "killed", ["--on", cluster.address]), "killed")
    except RuntimeError as problem:
        return f"killed {number}: {problem}"
    return _unlike(expected, task.parent / "killed", f"killed {number}")


def _unlike(expected: Any, folder: Path, what: str) -> str:
    different = next(kills.differences(expected, _essence(folder)), None)
    return "" if different is None else f"{what}: {different[:300]}"


def _overhead(folder: Path, address: str) -> dict[str, float]:
    """Return the seconds of a job that does nearly nothing by each launcher, and their ratio."""
    from harness.run.launchers.local import LocalLauncher
    from harness.run.launchers.ray import RayLauncher
    from harness.run.launchers.ray_cluster import joined

    over = RayLauncher(folder, lambda: None, joined(address))
    found = {}
    for name, launcher in (("here", LocalLauncher(folder)), ("ray", over)):
        _one_job(launcher, folder, name)  # Ray starts its own process for the first one
        begin = monotonic()
        for _ in range(JOBS):
            _one_job(launcher, folder, name)
        found[f"job_{name}_s"] = (monotonic() - begin) / JOBS
    over.close()
    return {
        **found,
        "job_overhead_s": found["job_ray_s"] - found["job_here_s"],
        "job_ratio": found["job_ray_s"] / found["job_here_s"],
    }


def _one_job(launcher: Any, root: Path, name: str) -> None:
    from harness.run.job import Job
    from harness.types import TaskInfo

    place = PurePosixPath(name)
    (root / place / "artifact").mkdir(parents=True, exist_ok=True)
    job = Job(
        kind="fit", strategy="majority", strategy_base=str(ROOT), params={}, metric="accuracy",
        task=TaskInfo("tiny", "Which letter?", "choice", {"a": "", "b": ""}, 4), model=None, seed=0,
        device="cpu", dtype="float32", budget_bytes=None, folder=place, artifact=place / "artifact",
    )  # fmt: skip
    rows = [{"query": {"id": f"r{n}", "text": f"text {n}"}, "targets": ["a"]} for n in range(4)]
    result = launcher.run(job, {"train": rows, "validation": rows})
    if result.status != "ok":
        raise RuntimeError(f"{name}: {result.error}")


def _begun(task: Path, out: str, words: list[str]) -> subprocess.Popen[bytes]:
    folder = task.parent
    environment: Mapping[str, str] = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (folder / f"{out}.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "harness", "run", task.name, "--out", out, *words],
            cwd=folder, stdout=said, stderr=said, env=environment,
        )  # fmt: skip


def _ended(process: subprocess.Popen[bytes], what: str) -> None:
    code = process.wait(ENDS_WITHIN_S)
    if code:
        raise RuntimeError(f"{what} ended with {code}")


def _essence(folder: Path) -> Any:
    """Return comparison.json without what is measured anew each time, or names the machine."""
    return _unmeasured(kills._unmeasured(json.loads((folder / "comparison.json").read_text())))


def _unmeasured(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _unmeasured(v) for k, v in value.items() if k not in ON_ANOTHER}
    if isinstance(value, list):  # that a lost node's job was begun again is to be said
        return [_unmeasured(one) for one in value if not str(one).startswith("retried: ")]
    return value
