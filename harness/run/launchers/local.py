"""Does each job in a fresh interpreter on this machine, and stops it at its limits.

Fresh, not forked: a forked child begins with its parent's pages, and its memory would be ours. A
small process stands between (`harness/run/keeper.py`), so that nothing outlives its job, whoever
of the three ends first.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, ClassVar

from harness.files.atomic import atomic_write
from harness.files.removal import remove
from harness.machine.describe import this_machine
from harness.machine.device import gpu_ids
from harness.machine.memory import available_bytes
from harness.run import keeper
from harness.run.folder_lock import lock_descriptors
from harness.run.job import JOB, PRINTED, RESULT, Inputs, Job, Workspace
from harness.run.launchers.base import (
    MOST_ON_DISK,
    Begun,
    Tick,
    clear,
    cut,
    environment_of,
    handed_over,
    placed,
    silent_end,
    stopped,
    taken_account,
    unheard,
)
from harness.run.launchers.occupancy import LOOK_EVERY_S, Occupancy
from harness.run.worker.measure import kept_rss_bytes
from harness.store.order_check import KILLED_BEFORE, OrderCheck
from harness.store.records import WorkerResult

QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
UTF8 = {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}
"""What a strategy prints and reads is the same text whatever the user's terminal can show."""
PATHS = (
    "HARNESS_CACHE", "HF_HOME", "HF_HUB_CACHE", "SENTENCE_TRANSFORMERS_HOME", "SSL_CERT_FILE",
    "TORCH_HOME",
)  # fmt: skip
"""Variables that name a folder or a file."""
LISTS = ("PYTHONPATH", "SSL_CERT_DIR")
"""Variables that name several."""
KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}
"""Kernels that oneDNN keeps, by which a CPU computes in bfloat16. It compiles one for each number
of tokens, and packed rows have another every time: most of the 1,024 that it would keep are never
used again. What the user's own environment says stands."""


FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that somebody, or the system, ends a process with: a process of itself has others."""


class LocalLauncher:
    """A `Launcher` of fresh interpreters. Waits without spinning.

    Several jobs at once share memory and cores evenly, and each has a GPU of its own where the
    machine has several (not run on such a machine).

    Args:
        root: the folder that jobs' paths start from.
        tick: called about twice a second while a worker works or waits.
        slots: jobs that may be run at once. More than one slow each other.
    """

    isolated = True

    def __init__(self, root: Path, tick: Tick = lambda: None, slots: int = 1):
        self.root = root.resolve()
        self.tick = tick
        self.slots = slots
        self._occupancy = Occupancy(tick)

    def run(self, job: Job, inputs: Inputs, begun: Begun = unheard) -> WorkerResult:
        """Run a job in a process of its own."""
        with self._occupancy.place(job.alone, lambda: {"here": self.slots}) as stay:
            begun(None)
            sharing = 1 if job.alone else self.slots
            if sharing > 1 and job.budget_bytes is None:
                job = job.model_copy(update={"budget_bytes": available_bytes() // sharing})
            own = {} if sharing == 1 else _own_part(job.device, stay.slot, sharing)
            with handed_over(inputs) as folder:
                result = self._run(Workspace(job, self.root, folder), own)
        machine = this_machine(job.device)
        return placed(result, job, machine, stay.neighbours, share=1 / sharing)

    def close(self) -> None:
        """Nothing is held from one job to the next."""

    def _run(self, workspace: Workspace, own: Mapping[str, str]) -> WorkerResult:
        folder = workspace.folder
        atomic_write(folder / JOB, workspace.job.model_dump_json(indent=1))
        (folder / RESULT).unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "harness.run.worker", str(self.root)]
        command += [str(workspace.job.folder), str(workspace.inputs)]
        printed = folder / PRINTED
        remove(printed)
        log = _Log(printed)
        try:
            # To append: a file that is cut while it is written would grow a hole.
            with printed.open("ab") as stream, _Kept(command, workspace, stream, own) as kept:
                past_limit = self._wait(kept.keeper, workspace, log)
        finally:
            log.close(workspace.job)
        # An account is written when the work is done: what ended the process after that, a limit
        # or the system, took nothing from it.
        account = taken_account(workspace)
        if account and past_limit is None and -kept.returncode in FROM_OUTSIDE:
            account = _without_order(account)
        return account or past_limit or _ended(kept.returncode, printed)

    def _wait(
        self, process: subprocess.Popen[bytes], workspace: Workspace, log: _Log
    ) -> WorkerResult | None:
        """Sleep until the worker ends or exceeds a limit; return an account only in that case."""
        job = workspace.job
        begin = time.monotonic()
        handle = os.pidfd_open(process.pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            while not poller.poll(LOOK_EVERY_S * 1000):
                self.tick()
                log.bound()
                if job.timeout_s is not None and time.monotonic() - begin > job.timeout_s:
                    limit = f"{job.timeout_s / 60:g} minutes (run.timeout_min)"
                    return stopped("timeout", f"stopped after {limit}")
                if job.memory_bytes is not None and kept_rss_bytes(process.pid) > job.memory_bytes:
                    limit = f"{job.memory_bytes / 2**30:g} GiB (run.memory_gib)"
                    return stopped("out_of_memory", f"stopped at more than {limit}")
        finally:
            os.close(handle)
        return None


class _Log:
    """What a worker prints, within bounds.

    Args:
        printed: the file.
    """

    def __init__(self, printed: Path):
        self.printed = printed
        self._cut_bytes = 0

    def bound(self) -> None:
        """Cut it while the worker prints."""
        with suppress(OSError):  # the code may have taken it away
            self._cut_bytes += cut(self.printed, MOST_ON_DISK)

    def close(self, job: Job) -> None:
        """Take secrets and surplus out of it; it stays a file, whatever is there."""
        if not self.printed.is_file() or self.printed.is_symlink():
            remove(self.printed)
            self.printed.write_text("what was printed is gone: the code took it away\n")
        self._cut_bytes += cut(self.printed)
        clear(self.printed, job)
        if self._cut_bytes:
            with self.printed.open("a", encoding="utf-8") as log:
                log.write(f"\n… and {self._cut_bytes:,} bytes more, which are not kept\n")


class _Kept:
    """A worker with its keeper, for the length of a `with`; nothing of them is left after it.

    Args:
        command: the worker's.
        workspace: its job and folders.
        log: what receives all that it prints.
        own: its part of the machine, as variables of its environment.
    """

    _living: ClassVar[set[int]] = set()
    """Keepers of this process: what one leaves behind, its end must not end the others."""
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self, command: list[str], workspace: Workspace, log: BinaryIO, own: Mapping[str, str]
    ):
        self.returncode = 0
        """The worker's, negative for a signal, once it has ended."""
        self._known = frozenset(keeper.children(os.getpid()))
        self._link, theirs = socket.socketpair()
        passed = [theirs.fileno(), *lock_descriptors()]
        words = [sys.executable, "-I", "-S", keeper.__file__, ",".join(map(str, passed))]
        allowed = environment_of(workspace.job)
        with theirs, self._lock:
            keeper.adopt_orphans(True)
            self.keeper = subprocess.Popen(
                [*words, str(workspace.inputs), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=passed,
                start_new_session=True,
                cwd=workspace.inputs,
                env={**KERNELS, **allowed, **_whole_paths(), **QUIET, **UTF8, **own},
            )
            self._living.add(self.keeper.pid)

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker where it works on, on Ctrl-C too, and learn how it ended."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)
            self.keeper.send_signal(signal.SIGCONT)  # somebody may have stopped it
        try:
            self.keeper.wait(keeper.PATIENCE_S * 1.5)
        except subprocess.TimeoutExpired:
            self.keeper.kill()
            self.keeper.wait()
        with self._lock:
            self._living.discard(self.keeper.pid)
            if self.keeper.returncode:  # it was killed: what it kept is ours now
                keeper.end_children(None, self._known | self._living)
            keeper.adopt_orphans(bool(self._living))
        self._link.settimeout(0)
        try:
            self.returncode = os.waitstatus_to_exitcode(int(self._link.recv(64)))
        except (OSError, ValueError):
            self.returncode = self.keeper.returncode
        self._link.close()


def _without_order(account: WorkerResult) -> WorkerResult:
    """Return the account of a killed worker; the check of order, done last, is to be done again."""
    if account.order is None or account.order.undefined is None:
        return account
    return account.model_copy(update={"order": OrderCheck(undefined=KILLED_BEFORE)})


def _own_part(device: str, slot: int, slots: int) -> dict[str, str]:
    """Return one job's part of this machine, as variables of its environment.

    Args:
        device: that it computes on.
        slot: its number.
        slots: how many there are.
    """
    part = {}
    if "OMP_NUM_THREADS" not in os.environ:  # the user's own number stands
        part["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) // slots))
    if device == "cuda" and (gpus := gpu_ids()):
        part["CUDA_VISIBLE_DEVICES"] = gpus[slot % len(gpus)]
    return part


def _whole_paths() -> dict[str, str]:
    """Return the environment's paths in full: a worker's working directory is another one."""
    given = {name: os.environ[name] for name in (*PATHS, *LISTS) if os.environ.get(name)}
    return {
        name: os.pathsep.join(map(_whole, text.split(os.pathsep)))
        if name in LISTS
        else _whole(text)
        for name, text in given.items()
    }


def _whole(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else ""


def _ended(returncode: int, printed: Path) -> WorkerResult:
    if returncode == -signal.SIGKILL:
        return stopped("out_of_memory", "killed by the system, most likely for want of memory")
    how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    return silent_end(how, printed)
