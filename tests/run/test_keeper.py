"""Nothing that a worker starts outlives it, and it outlives no parent, whatever it does.

Processes end processes, so nothing cheaper shows it; but what is kept here are bare interpreters
that import next to nothing. Two tests have a whole run killed, since the lock of a run folder and
the folder of inputs are that run's.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from alive import lives
from command_line import write_task

from harness.files import temporary_folder as folders
from harness.run import folder_lock, keeper
from harness.run.worker.measure import kept_rss_bytes

pytestmark = pytest.mark.process

BEGIN = """
import os, signal, subprocess, sys, time
def told():
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
def sleeps():
    told(); time.sleep(600)
def daemon(do=sleeps):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            do()
        os._exit(0)
    os.wait()
def another(do, **how):
    code = f"import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); {do}"
    return subprocess.Popen([sys.executable, "-S", "-c", code, sys.argv[1]], **how)
def deaf():
    for number in (1, 2, 3, 15): signal.signal(number, signal.SIG_IGN)
    sleeps()
def stopped():
    told(); os.kill(os.getpid(), signal.SIGSTOP)
def chain(left=20):
    told()
    if left and os.fork() == 0:
        os.setsid(); chain(left - 1)
    time.sleep(600)
"""
LEFT = {
    "a session of its own": "another('time.sleep(600)', start_new_session=True)",
    "a daemon": "daemon()",
    "a deaf daemon": "daemon(deaf)",
    "a stopped daemon": "daemon(stopped)",
    "a daemon with an empty environment": "daemon(lambda: (told(), os.execve(sys.executable,"
    " [sys.executable, '-S', '-c', 'import time; time.sleep(600)'], {})))",
    "nohup": "subprocess.Popen(['sh', '-c', 'nohup sleep 600 >/dev/null 2>&1 &'])",
    "a chain of sessions": "daemon(chain)",
    "fifty at once": "[daemon() for _ in range(50)]",
    "a daemon of a daemon": "daemon(lambda: (daemon(), sleeps()))",
    "a child in its group": "another('time.sleep(600)')",
    "a program that forks on": "daemon(lambda: [told(), [os.fork() == 0 or time.sleep(600) for _"
    " in range(3)], time.sleep(600)])",
}
MARKER = "KEPT_BY"


class Kept:
    """A bare interpreter with its keeper."""

    def __init__(self, folder, code):
        self.pids = folder / "pids"
        self.pids.touch()
        (folder / "inputs").mkdir()
        self.link, theirs = socket.socketpair()
        worker = [sys.executable, "-S", "-c", BEGIN + code, str(self.pids)]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(theirs.fileno()),
             str(folder / "inputs"), *worker],
            pass_fds=[theirs.fileno()], env={**os.environ, MARKER: str(folder)},
            start_new_session=True,
        )  # fmt: skip
        theirs.close()
        self.folder = folder

    def told(self, count):
        wait_until(lambda: len(self.pids.read_text().splitlines()) >= count)
        return list(map(int, self.pids.read_text().split()))

    def ended(self):
        """The worker's wait status as the launcher is told, once the keeper has ended."""
        assert self.process.wait(60) == 0
        return int(self.link.recv(64))

    def left(self):
        """Processes of it that live: by what they said, and by the marker that they inherited."""
        said = map(int, self.pids.read_text().split())
        return [pid for pid in said if lives(pid)] + marked(self.folder)


@pytest.fixture
def keep(tmp_path):
    """Start a worker with its keeper; whatever is left is killed at the end."""
    started = []

    def start(code):
        started.append(Kept(tmp_path, code))
        return started[-1]

    yield start
    for kept in started:
        kept.link.close()
        kept.process.kill()
        kept.process.wait()
        for pid in kept.left():
            with suppress(ProcessLookupError):  # it may end meanwhile
                os.kill(pid, signal.SIGKILL)


def marked(folder):
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            held = f"{MARKER}={folder}".encode() in place.read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(place.parent.name)] if held and lives(place.parent.name) else []
    return found


def wait_until(true):
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("waited in vain")


@pytest.mark.parametrize("what", LEFT)
def test_what_a_worker_leaves_dies_with_it(keep, tmp_path, what):
    kept = keep(LEFT[what] + "\ntime.sleep(0.1)\nsys.exit(3)")
    assert os.waitstatus_to_exitcode(kept.ended()) == 3
    assert kept.left() == []
    assert (tmp_path / "inputs").is_dir()  # the launcher is there, and they are its own to take


@pytest.mark.parametrize(
    "does",
    [
        "deaf()",
        "stopped()",
        "daemon(deaf); stopped()",
        # Holds the interpreter's lock for ever: no thread of its own could end it.
        "told(); import ctypes; ctypes.PyDLL(None).sleep(600)",
        "told(); import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        "os.setpgid(0, 0) if os.getpgrp() != os.getpid() else 0; daemon(); deaf()",
    ],
)
def test_a_worker_ends_when_its_launcher_is_gone_and_its_inputs_with_it(keep, tmp_path, does):
    kept = keep(does)
    kept.told(1)
    kept.link.close()
    assert kept.process.wait(60) == 0
    assert kept.left() == []
    assert not (tmp_path / "inputs").exists()


def test_a_worker_dies_with_its_keeper_and_what_it_left_becomes_the_launchers(keep):
    known = frozenset(keeper.children(os.getpid()))
    keeper.adopt_orphans(True)
    try:
        kept = keep("daemon(deaf)\nos.kill(os.getppid(), signal.SIGKILL)\nsleeps()")
        assert kept.process.wait(60) == -signal.SIGKILL
        keeper.end_children(None, known)
    finally:
        keeper.adopt_orphans(False)
    assert kept.left() == []


@pytest.mark.parametrize(
    ("does", "status"),
    [("os.kill(os.getpid(), 9)", -9), ("os.killpg(0, 15); time.sleep(9)", -15),
     ("os.abort()", -6), ("os._exit(7)", 7), ("os.close(0); sys.exit()", 0)],
)  # fmt: skip
def test_how_a_worker_ended_is_told(keep, does, status):
    no_dump = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    kept = keep(no_dump + does)
    assert os.waitstatus_to_exitcode(kept.ended()) == status


def test_the_memory_of_an_orphan_counts(keep):
    code = "def hogs():\n    block = b'x' * (100 << 20)\n    sleeps()\ndaemon(hogs); sleeps()"
    kept = keep(code)
    kept.told(2)
    # One that has only been forked is not counted: its parent's pages are not its own.
    wait_until(lambda: kept_rss_bytes(kept.process.pid) > 100 << 20)
    kept.link.close()
    kept.process.wait(60)
    assert kept.left() == []


SOURCE = """
import ctypes, os, signal, sys, time
from pathlib import Path
from harness import Prediction, Strategy

class Holds(Strategy):
    def fit(self, train, validation, artifact):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        here = Path(__file__).parent
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                (here / "part").write_text(f"{os.getpid()} {os.getppid()} {Path.cwd()}")
                (here / "part").rename(here / "told")
                time.sleep(600)
            time.sleep(600)
        while (here / "hold").exists():
            ctypes.PyDLL(None).sleep(600)  # with the interpreter's lock held

    def predict(self, queries):
        return [Prediction("rain") for _ in queries]
"""


def test_the_lock_of_a_killed_run_is_free_when_nothing_of_it_is_left(tmp_path):
    path = write_task(tmp_path / "task", ["own.py:Holds"])
    (path.parent / "own.py").write_text(SOURCE)
    (path.parent / "hold").touch()
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "harness", "run", str(path), "--out", str(tmp_path / "run")]
    environment = {**os.environ, MARKER: str(tmp_path), "TMPDIR": str(tmp_path / "temporary")}
    run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    wait_until((path.parent / "told").exists)
    *_, inputs = (path.parent / "told").read_text().split()
    assert Path(inputs).is_dir()
    (keeping,) = keeper.children(run.pid)
    os.kill(keeping, signal.SIGSTOP)  # no luck of who is faster: its parent's death wakes it
    run.kill()
    run.wait()
    name = json.loads((tmp_path / "run/records.jsonl").read_text().split("\n")[0])["task"]["name"]
    with folder_lock.opened(tmp_path / "run", name, fresh=False):
        assert marked(tmp_path) == []
        assert not Path(inputs).exists()


def test_what_a_dead_process_left_is_taken_away_and_what_a_living_one_has_stays(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import os, signal; from harness.files.temporary_folder import temporary_folder as f\n"
        "with f() as folder:\n    print(folder, flush=True)\n    os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    left = Path(done.stdout.strip())
    assert left.is_dir()
    with folders.temporary_folder() as own:
        assert not left.exists()
        here, boot, pid, began = folders.NAME.match(own.name).groups()
        others = [
            tmp_path / f"harness-{'0' * 8}-{boot}-{pid}-1-x",  # of another machine
            tmp_path / "harness-somebody's",
        ]
        gone = [
            tmp_path / f"harness-{here}-{'0' * 8}-{pid}-{began}-x",  # before the machine started
            tmp_path / f"harness-{here}-{boot}-{pid}-{int(began) + 1}-x",  # the id is used again
        ]
        for folder in (*others, *gone):
            folder.mkdir()
        with folders.temporary_folder() as second:
            assert second != own
        assert own.is_dir()
        assert [folder.exists() for folder in (*others, *gone)] == [True, True, False, False]
