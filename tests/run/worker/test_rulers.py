"""Known amounts of memory and time, and what the rulers say of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.run.worker import measure

MIB = 2**20
BIG = 300 * MIB

STRATEGIES = """
import mmap, subprocess, sys, time
from harness import Prediction, Strategy

BIG = 300 * 2**20
CHILD = f"block = b'x' * {BIG}; import time; time.sleep(0.4)"

class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Fits(Rule):
    def fit(self, train, validation, artifact):
        block = b"x" * BIG

class Loads(Rule):
    def load(self, artifact):
        block = b"x" * BIG

class Keeps(Rule):
    def load(self, artifact):
        self.block = b"x" * BIG

class Spawns(Rule):
    def fit(self, train, validation, artifact):
        subprocess.run([sys.executable, "-S", "-c", CHILD], check=True)

class Follows(Rule):
    def fit(self, train, validation, artifact):
        block = b"x" * BIG
        del block
        subprocess.run([sys.executable, "-S", "-c", CHILD], check=True)

class Joins(Rule):
    def fit(self, train, validation, artifact):
        block = b"x" * BIG
        subprocess.run([sys.executable, "-S", "-c", CHILD], check=True)

class Maps(Rule):
    def fit(self, train, validation, artifact):
        with open(artifact / "block", "wb") as stream:
            stream.write(b"x" * BIG)

    def load(self, artifact):
        with open(artifact / "block", "rb") as stream:
            self.map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        sum(self.map[::4096])

class Sleeps(Rule):
    def fit(self, train, validation, artifact):
        begin = time.perf_counter()
        time.sleep(0.5)
        self.context.note("took", repr(time.perf_counter() - begin))

    def predict(self, queries):
        time.sleep(0.01 * len(queries))
        return super().predict(queries)

class Schedule(Rule):
    def predict(self, queries):
        begin = time.perf_counter()
        if len(queries) == 1:
            time.sleep(0.1 * (1 + int(queries[0].id.removeprefix("test"))))
            self.context.note("took", repr(time.perf_counter() - begin))
        return super().predict(queries)

class Burns(Rule):
    def fit(self, train, validation, artifact):
        end = time.process_time() + 0.5
        while time.process_time() < end:
            pass

class Counts(Rule):
    sizes = []

    def predict(self, queries):
        self.sizes.append(len(queries))
        if len(queries) > 1:
            self.context.note("sizes", repr(self.sizes))
        return super().predict(queries)
"""
ARMS = (
    "Rule", "Fits", "Loads", "Keeps", "Spawns", "Follows", "Joins", "Maps", "Sleeps", "Schedule",
    "Burns", "Counts",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tiny, run_in_processes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rulers")
    path = tiny(folder, STRATEGIES, [f"own.py:{arm}" for arm in ARMS])
    return run_in_processes(path, folder / "run")


@pytest.fixture(scope="module")
def records(run):
    _, records = run
    assert {record.error for record in records.values()} == {None}
    return records


def phase(record, name):
    half = record.fit if name == "fit" else record.serve
    return next(m for m in half.measurements if m.phase == name)


def test_a_rule_needs_less_than_60_mib_in_every_phase(records):
    for half in (records["rule"].fit, records["rule"].serve):
        for measured in half.measurements:
            assert 5 * MIB < measured.peak_rss_bytes < 60 * MIB, measured


def test_the_process_of_a_trial_loads_no_more_than_its_own_job():
    """What a room's door loads counts in the memory of every arm (a process, since this one has
    loaded it all)."""
    script = "import sys, harness.run.worker.process; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    others = [f"harness.{room}" for room in ("task", "lm", "toolkit", "retrieval", "plan")]
    assert not {*others, "harness.run.runner", "ruamel.yaml"} & set(loaded)


def test_a_trial_is_two_processes_with_their_phases_in_order(records):
    fit, serve = records["rule"].fit, records["rule"].serve
    assert [m.phase for m in fit.measurements] == ["start", "fit"]
    assert [m.phase for m in serve.measurements] == ["start", "load", "latency", "predict"]


@pytest.mark.parametrize(("arm", "name"), [("fits", "fit"), ("loads", "load"), ("keeps", "load")])
def test_touched_memory_is_measured_in_the_phase_that_touched_it(records, arm, name):
    more = phase(records[arm], name).peak_rss_bytes - phase(records["rule"], name).peak_rss_bytes
    assert more == pytest.approx(BIG, rel=0.05)


def test_memory_freed_before_a_phase_does_not_count_for_it(records):
    assert phase(records["loads"], "predict").peak_rss_bytes < 70 * MIB


def test_memory_held_counts_for_later_phases_too(records):
    for name in ("latency", "predict"):
        measured = phase(records["keeps"], name)
        assert measured.peak_rss_bytes > BIG
        assert measured.peak_anon_bytes > 0.95 * BIG


def test_memory_of_fitting_does_not_count_for_serving(records):
    assert all(m.peak_rss_bytes < 60 * MIB for m in records["fits"].serve.measurements)


def test_a_childs_memory_counts(records):
    more = phase(records["spawns"], "fit").peak_rss_bytes
    more -= phase(records["rule"], "fit").peak_rss_bytes
    assert BIG * 0.95 < more < BIG * 1.1  # the child is an interpreter too


@pytest.mark.parametrize(("arm", "blocks"), [("follows", 1), ("joins", 2)])
def test_a_childs_memory_adds_to_what_is_held_then_and_not_to_what_was_freed(records, arm, blocks):
    more = phase(records[arm], "fit").peak_rss_bytes
    more -= phase(records["rule"], "fit").peak_rss_bytes
    interpreter = 10 * MIB
    assert more - interpreter == pytest.approx(blocks * BIG, rel=0.05)


def test_a_mapped_file_counts_as_file_backed(records):
    load, plain = phase(records["maps"], "load"), phase(records["rule"], "load")
    assert load.peak_rss_bytes - plain.peak_rss_bytes == pytest.approx(BIG, rel=0.05)
    assert load.peak_file_bytes - plain.peak_file_bytes == pytest.approx(BIG, rel=0.05)
    assert load.peak_anon_bytes < 60 * MIB
    assert records["maps"].artifact_bytes == BIG


def test_sleeping_takes_wall_time_and_no_cpu_time(records):
    measured = phase(records["sleeps"], "fit")
    assert measured.wall_s >= 0.5
    assert measured.cpu_s < 0.25


def test_a_phase_takes_as_long_as_it_took(records):
    (took,) = (float(n.text) for n in records["sleeps"].fit.notes if n.kind == "took")
    assert phase(records["sleeps"], "fit").wall_s == pytest.approx(took, rel=0.05)


def test_percentiles_are_those_of_a_schedule(run, records):
    import numpy as np

    from harness.analysis import analyse

    serve = records["schedule"].serve
    took = [float(n.text) for n in serve.notes if n.kind == "took"]
    warm = took[3 : 3 + 8]  # after three warm-ups; then the cold ones
    assert sorted(serve.warm_walls_s) == pytest.approx(sorted(warm), rel=0.05)
    assert sorted(serve.cold_walls_s) == pytest.approx(sorted(took[3 + 8 :]), rel=0.05)
    (row,) = (row for row in analyse(run[0]).arms if row.strategy == "schedule")
    assert row.p50_s == pytest.approx(np.quantile(warm, 0.50), rel=0.05)
    assert row.p95_s == pytest.approx(np.quantile(warm, 0.95), rel=0.05)
    # Of 100, 200, … 800 ms: a core that is taken away for a moment stays within 5 %.
    assert row.p50_s >= 0.45
    assert row.p95_s >= 0.765


def test_computing_takes_cpu_time(records):
    assert phase(records["burns"], "fit").cpu_s == pytest.approx(0.5, rel=0.1)


def test_each_request_is_timed_alone_warm_and_cold(records):
    serve = records["sleeps"].serve
    assert len(serve.warm_walls_s) == len(serve.cold_walls_s) == 8
    assert min(serve.warm_walls_s + serve.cold_walls_s) >= 0.01
    assert phase(records["sleeps"], "predict").wall_s >= 0.08


def test_latency_is_asked_after_three_warm_ups_and_throughput_in_one_call(records):
    notes = {note.kind: note.text for note in records["counts"].serve.notes}
    assert notes["sizes"] == repr([1] * (3 + 8 + 8) + [8])


def test_peak_memory_agrees_with_gnu_time_on_the_same_work(tmp_path):
    gnu_time = Path("/usr/bin/time")
    if not gnu_time.is_file():
        pytest.skip("GNU time is not installed here")
    work = (
        "from harness.run.worker.measure import Ruler\n"
        "ruler = Ruler()\n"
        f"with ruler.phase('fit'): block = b'x' * {BIG}\n"
        "print(ruler.measurements[0].peak_rss_bytes)"
    )
    words = [gnu_time, "-o", tmp_path / "kib", "-f", "%M", sys.executable, "-c", work]
    ours = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    theirs = int((tmp_path / "kib").read_text()) * 1024
    assert theirs > BIG
    assert int(ours) == pytest.approx(theirs, rel=0.05)


def test_cores_and_load_of_every_half_are_recorded(run, records):
    machine = run[0].last_header().machine
    assert machine.cores == len(os.sched_getaffinity(0)) <= machine.host_cores
    for half in (records["rule"].fit, records["rule"].serve):
        assert half.cores == machine.cores
        assert half.load_average >= 0
        assert half.threads is None  # of torch, which a rule does not load


def test_threads_that_share_one_core_are_seen_to_wait_for_it():
    core = min(os.sched_getaffinity(0))
    work = (
        f"import os, time, threading, zlib; os.sched_setaffinity(0, [{core}])\n"
        "from harness.run.worker.measure import Ruler\n"
        "ruler, block = Ruler(), b'x' * 2**22\n"
        "def burn():\n"
        "    while time.process_time() < 1.5: zlib.crc32(block)\n"  # outside the interpreter's lock
        "with ruler.phase('fit'):\n"
        "    threading.Thread(target=burn, daemon=True).start(); burn()\n"
        "print(ruler.measurements[0].cpu_wait_s, ruler.measurements[0].cpu_s)"
    )
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True)
    waited, computed = map(float, done.stdout.split())
    assert waited > 0.3 * computed


def test_the_parent_uses_less_than_1_percent_of_a_core_while_a_trial_runs(tiny, tmp_path):
    source = """
import time
from pathlib import Path
from harness import Prediction, Strategy

HERE = Path(__file__).parent

class Waits(Strategy):
    def fit(self, train, validation, artifact):
        (HERE / "began").touch()
        while not (HERE / "end").exists():
            time.sleep(0.05)

    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""
    task = tiny(tmp_path / "task", source, ["own.py:Waits"])
    words = [sys.executable, "-m", "harness", "run", str(task), "--out", str(tmp_path / "run")]
    parent = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        while not (task.parent / "began").exists():
            assert parent.poll() is None
            time.sleep(0.05)
        begin, before = time.monotonic(), psutil.Process(parent.pid).cpu_times()
        time.sleep(4)
        after, passed = psutil.Process(parent.pid).cpu_times(), time.monotonic() - begin
    finally:
        (task.parent / "end").touch()
        assert parent.wait(60) == 0
    used = after.user + after.system - before.user - before.system
    assert used < 0.01 * passed


@pytest.mark.gpu
def test_gpu_memory_is_measured_as_allocated_and_as_reserved():
    import torch

    from harness.run.worker.measure import Ruler

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    torch.zeros(1, device="cuda")
    ruler = Ruler()
    with ruler.phase("fit"):
        block = torch.zeros(BIG, dtype=torch.uint8, device="cuda")
        del block
    (measured,) = ruler.measurements
    assert measured.peak_gpu_allocated_bytes == pytest.approx(BIG, rel=0.05)
    assert measured.peak_gpu_bytes >= measured.peak_gpu_allocated_bytes


def test_a_process_that_is_gone_has_no_descendants():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert measure.descendants(gone.pid) == []
