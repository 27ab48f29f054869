"""Known amounts of memory and time, and what the rulers say of them."""

from __future__ import annotations

import pytest

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
        time.sleep(0.5)

    def predict(self, queries):
        time.sleep(0.01 * len(queries))
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
ARMS = ("Rule", "Fits", "Loads", "Keeps", "Spawns", "Maps", "Sleeps", "Burns", "Counts")


@pytest.fixture(scope="module")
def records(tiny, run_tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rulers")
    path = tiny(folder, STRATEGIES, [f"own.py:{arm}" for arm in ARMS])
    _, records = run_tiny(path, folder / "run")
    assert {record.error for record in records.values()} == {None}
    return records


def phase(record, name):
    half = record.fit if name == "fit" else record.serve
    return next(m for m in half.measurements if m.phase == name)


def test_a_rule_needs_less_than_60_mib_in_every_phase(records):
    for half in (records["rule"].fit, records["rule"].serve):
        for measured in half.measurements:
            assert 5 * MIB < measured.peak_rss_bytes < 60 * MIB, measured


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
