"""The contract of a launcher as tests: inherit and say how one is made.

    class TestRay(LauncherContract):
        def make(self, root, tick):
            return RayLauncher(root, tick, joined("auto"))

What `Launcher` promises of all is asked of all; of those that are `isolated`, also what only a
process of its own can do.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import pytest
from launched_arms import SOURCE

from harness.files.hashing import sha256_of_file
from harness.run.job import JOB, PRINTED, RESULT, FinishedFit, Job
from harness.run.launchers.base import silent_end
from harness.store.records import Measurement
from harness.store.run_folder import read_jsonl
from harness.types import Example, Query, TaskInfo

ROWS = [Example(Query(f"r{n}", f"text {n} — ü"), ("a", "b")[n % 2 :]) for n in range(4)]
ENDS_WITHIN_S = 60.0
"""For what was stopped to be gone, on a busy machine too."""
INFO = TaskInfo("tiny", "Which letter?", "choice", {"a": "", "b": ""}, 4)


def _nothing():
    pass


class LauncherContract:
    """Tests of one launcher; subclasses say how it is made."""

    knows_environment = True
    """Whether jobs have the environment of whoever has them done, and not that of a machine."""

    def make(self, root, tick):
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def place(self, tmp_path, monkeypatch):
        """A root, the user's own folder beside it, and temporary folders that can be counted."""
        self.root, self.own, temporary = (tmp_path / n for n in ("root", "own", "temporary"))
        for folder in (self.root, self.own, temporary):
            folder.mkdir()
        (self.own / "own.py").write_text(SOURCE)
        self.temporary = temporary
        monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def launched(self, tick=_nothing):
        return self.make(self.root, tick)

    def job(self, name, kind="fit", folder="trial", artifact="trial/artifact", **changes):
        """A job whose folder and artifact exist, as whoever dispatches it sees to."""
        (self.root / artifact).mkdir(parents=True, exist_ok=True)
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        keys = {
            "kind": kind, "strategy": f"own.py:{name}", "strategy_base": str(self.own),
            "params": {"pids": str(self.own / "pids")} if name == "Hangs" else {},
            "task": INFO, "metric": "accuracy", "model": None, "seed": 0,
            "device": "cpu", "dtype": "float32", "budget_bytes": 2**30,
            "folder": PurePosixPath(folder), "artifact": PurePosixPath(artifact),
        }  # fmt: skip
        return Job(**{**keys, **changes})

    def fit(self, name, tick=_nothing, **changes):
        inputs = {"train": map(asdict, ROWS), "validation": map(asdict, ROWS[:2])}
        return self.launched(tick).run(self.job(name, **changes), inputs)

    def serve(self, name="Says", **changes):
        job = self.job(name, "serve", "trial/answers", **changes)
        return self.launched().run(job, {"queries": [asdict(row.query) for row in ROWS]})

    def test_it_says_how_isolated_it_is_how_many_jobs_it_takes_and_on_what_machine(self):
        launcher = self.launched()
        assert launcher.isolated in (True, False)
        assert launcher.slots >= 1
        hardware = self.fit("Says").hardware
        assert hardware.machine.cores >= 1
        assert (hardware.device, hardware.dtype) == ("cpu", "float32")
        assert (hardware.neighbours, hardware.share) == (0, 1.0)

    def test_it_tells_once_that_a_job_begins_and_where(self):
        told = []
        inputs = {"train": map(asdict, ROWS), "validation": map(asdict, ROWS[:2])}
        result = self.launched().run(self.job("Says"), inputs, told.append)
        assert told == [result.hardware.node]

    def test_what_a_fit_writes_is_what_serving_loads(self):
        fit = self.fit("Says")
        assert (fit.status, fit.error) == ("ok", None)
        assert [m.phase for m in fit.measurements] == ["start", "fit"]
        serve = self.serve()
        assert [m.phase for m in serve.measurements] == ["start", "load", "latency", "predict"]
        written = self.root / "trial/answers/predictions.jsonl"
        assert [(row["id"], row["text"]) for row in read_jsonl(written)] == [
            (row.query.id, "aa") for row in ROWS
        ]
        assert serve.predictions_sha256 == sha256_of_file(written)

    def test_beside_that_the_root_holds_the_job_what_it_printed_and_nothing_else(self):
        self.fit("Says")
        files = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        assert files == {f"trial/{JOB}", f"trial/{PRINTED}", "trial/artifact/answer"}
        assert Job.model_validate_json((self.root / "trial" / JOB).read_text()) == self.job("Says")

    def test_a_job_holds_no_path_but_below_the_root_and_those_that_the_user_named(self):
        self.fit("Says")
        text = (self.root / "trial" / JOB).read_text()
        whole = [value for value in _texts(json.loads(text)) if os.path.isabs(value)]
        assert whole == [str(self.own)]
        for path in ("/elsewhere", "../elsewhere", "trial/../../elsewhere"):
            with pytest.raises(ValueError, match="leaves the root"):
                self.job("Says", artifact="trial").model_validate(
                    {**json.loads(text), "artifact": path}
                )

    def test_a_job_sees_its_inputs_in_its_working_directory_and_they_are_gone_afterwards(self):
        assert self.fit("Looks").status == "ok"
        place, seen = json.loads((self.root / "trial/artifact/seen.json").read_text())
        assert set(seen) == {"train.jsonl", "validation.jsonl"}
        assert [json.loads(line) for line in seen["train.jsonl"].splitlines()] == [
            json.loads(json.dumps(asdict(row))) for row in ROWS
        ]
        assert not Path(place).exists()
        assert not Path(place).is_relative_to(self.root)

    def test_a_job_is_done_below_another_root_as_well(self, tmp_path):
        self.fit("Says")
        self.root = Path(shutil.move(self.root, tmp_path / "moved"))
        assert self.serve().status == "ok"
        assert (self.root / "trial/answers/predictions.jsonl").is_file()
        assert not (tmp_path / "root").exists()

    def test_a_finished_fit_is_taken_over_from_below_the_root(self):
        (self.root / "other").mkdir()
        (self.root / "other/answer").write_text("of another arm")
        done = FinishedFit(
            arm="other",
            strategy="own.py:Says",
            params={"answer": "b"},
            artifact=PurePosixPath("other"),
            measurement=Measurement(phase="fit", wall_s=1000.0, cpu_s=1.0),
        )
        fit = self.fit("Builds", finished=(done,))
        assert fit.status == "ok", fit.error
        assert (self.root / "trial/artifact/answer").read_text() == "of another arm"
        assert fit.measurements[-1].wall_s >= 1000

    def test_a_job_has_its_own_secret_alone_and_tells_it_to_nobody(self, monkeypatch):
        for name, value in {
            "MY_KEY": "mine-to-be-kept", "PLAIN": "of-another-arm", "COPY": "of-another-arm",
            "HF_TOKEN": "hub", "ADDRESS": "http://me:pass@there", "KEPT": "kept",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        secrets = {"MY_KEY", "PLAIN", "COPY", "HF_TOKEN", "ADDRESS"}
        others = ("MY_KEY", "PLAIN")

        def seen():
            return set(json.loads((self.root / "trial/artifact/environment.json").read_text()))

        fit = self.fit("Tells", other_secrets=others)
        assert (fit.status, seen() & secrets) == ("ok", set())
        assert ("KEPT" in seen()) == self.knows_environment
        fit = self.fit("Tells", own_secrets=("MY_KEY",), other_secrets=others)
        assert seen() & secrets == {"MY_KEY"}
        assert (fit.error, fit.notes[0].text) == ("ValueError: the key is [key]", "[key]")
        assert "my key is [key]" in (self.root / "trial" / PRINTED).read_text()
        texts = [file.read_text() for file in self.root.rglob("*") if file.is_file()]
        assert not any("mine-to-be-kept" in text for text in texts)

    def test_what_a_job_raises_is_its_account_and_what_it_printed_is_kept(self):
        fit = self.fit("Raises")
        assert (fit.status, fit.error) == ("failed", "ValueError: no luck")
        printed = (self.root / "trial" / PRINTED).read_text()
        assert "said on the way" in printed
        assert "said of the trouble" in printed
        assert "Traceback" in printed
        assert (self.root / "trial/artifact/half").is_file()

    def test_a_job_without_an_account_is_told_by_its_ending_and_its_last_words(self):
        fit = self.fit("Leaves")
        assert fit.status == "failed"
        said = "the worker ended with exit code 3 and no result; its last words: farewell"
        assert fit.error == said
        told = silent_end("exit code 3", self.root / "trial" / PRINTED)
        assert fit == told.model_copy(update={"hardware": fit.hardware})

    def test_an_account_that_lay_there_before_is_not_taken_for_the_jobs(self):
        self.fit("Says")
        (self.root / "trial" / RESULT).write_text('{"status": "ok"}')
        assert self.fit("Leaves").status == "failed"
        assert not (self.root / "trial" / RESULT).exists()

    def test_nothing_in_memory_goes_from_one_job_to_the_next(self):
        for _ in range(2):
            self.fit("Remembers")
            assert (self.root / "trial/artifact/answer").read_text() == "1"

    def test_whoever_has_a_job_done_finds_everything_as_it_was(self, monkeypatch):
        monkeypatch.setenv("KEPT", "kept")
        before = (Path.cwd(), dict(os.environ), sys.stdout, sys.stderr, random.getstate())
        handler = signal.getsignal(signal.SIGTERM)
        assert self.fit("Meddles").error is None
        after = (Path.cwd(), dict(os.environ), sys.stdout, sys.stderr, random.getstate())
        assert after == before
        assert signal.getsignal(signal.SIGTERM) is handler

    def test_an_interrupt_goes_on_to_whoever_waits_and_leaves_no_inputs(self):
        def tick():
            raise KeyboardInterrupt

        name = "Hangs" if self.launched().isolated else "Says"
        with pytest.raises(KeyboardInterrupt):
            self.fit(name, tick)
        assert list(self.temporary.iterdir()) == []

    def only_isolated(self):
        if not self.launched().isolated:
            pytest.skip("promises no process of its own")

    def test_isolated_an_interrupt_ends_all_that_it_started(self):
        self.only_isolated()

        def tick():
            if (self.own / "pids").exists():
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.fit("Hangs", tick)
        self.none_lives()

    def test_isolated_a_job_past_its_time_is_stopped_with_all_that_it_started(self):
        self.only_isolated()
        fit = self.fit("Hangs", timeout_s=3.0)
        assert (fit.status, fit.error) == (
            "timeout",
            "stopped after 0.05 minutes (run.timeout_min)",
        )
        self.none_lives()

    def test_isolated_a_job_that_takes_too_much_memory_is_stopped(self):
        self.only_isolated()
        fit = self.fit("Hogs", memory_bytes=2**28)
        assert fit.status == "out_of_memory"
        assert fit.error == "stopped at more than 0.25 GiB (run.memory_gib)"

    @pytest.mark.parametrize(
        ("name", "status", "words"),
        [
            ("Dies", "failed", "exit code 7"),
            ("Killed", "out_of_memory", "killed by the system"),
            ("Crashes", "failed", "signal 11"),
        ],
    )
    def test_isolated_a_crash_is_an_account(self, name, status, words):
        self.only_isolated()
        fit = self.fit(name)
        assert fit.status == status
        assert words in fit.error

    def test_memory_is_measured_where_it_is_the_jobs_own_and_unknown_elsewhere(self):
        measured = self.fit("Says").measurements
        isolated = self.launched().isolated
        assert {m.peak_rss_bytes is not None for m in measured} == {isolated}
        assert {m.peak_anon_bytes is not None for m in measured} == {isolated}

    def none_lives(self):
        if not (self.own / "pids").exists():  # stopped before it had begun
            return
        pids = (self.own / "pids").read_text().split()
        until = time.monotonic() + ENDS_WITHIN_S
        while time.monotonic() < until:
            if not any(_lives(pid) for pid in pids):
                return
            time.sleep(0.05)
        pytest.fail("something lives on")


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
