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
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from harness.files.atomic import atomic_write
from harness.files.removal import remove
from harness.machine.describe import this_machine
from harness.run import keeper
from harness.run.folder_lock import lock_descriptors
from harness.run.job import JOB, PRINTED, RESULT, Inputs, Job, Workspace
from harness.run.launchers.base import (
    MOST_ON_DISK,
    Tick,
    clear,
    cut,
    environment_of,
    handed_over,
    silent_end,
    stopped,
    taken_account,
)
from harness.run.worker.measure import kept_rss_bytes
from harness.store.machine import Machine
from harness.store.order_check import KILLED_BEFORE, OrderCheck
from harness.store.records import WorkerResult

LOOK_EVERY_S = 0.5
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

    Args:
        root: the folder that jobs' paths start from.
        tick: called about twice a second while a worker works.
    """

    isolated = True
    slots = 1
    """One: a second worker would slow the first, and its times would be measured."""

    def __init__(self, root: Path, tick: Tick = lambda: None):
        self.root = root.resolve()
        self.tick = tick
        self._cut_bytes = 0

    def machine(self, device: str) -> Machine:
        """Describe this machine."""
        return this_machine(device)

    def run(self, job: Job, inputs: Inputs) -> WorkerResult:
        """Run a job in a process of its own."""
        with handed_over(inputs) as folder:
            return self._run(Workspace(job, self.root, folder))

    def _run(self, workspace: Workspace) -> WorkerResult:
        folder = workspace.folder
        atomic_write(folder / JOB, workspace.job.model_dump_json(indent=1))
        (folder / RESULT).unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "harness.run.worker", str(self.root)]
        command += [str(workspace.job.folder), str(workspace.inputs)]
        printed = folder / PRINTED
        remove(printed)
        self._cut_bytes = 0
        try:
            # To append: a file that is cut while it is written would grow a hole.
            with printed.open("ab") as log, _Kept(command, workspace, log) as kept:
                past_limit = self._wait(kept.keeper, workspace)
        finally:
            self._close(printed, workspace.job)
        # An account is written when the work is done: what ended the process after that, a limit
        # or the system, took nothing from it.
        account = taken_account(workspace)
        if account and past_limit is None and -kept.returncode in FROM_OUTSIDE:
            account = _without_order(account)
        return account or past_limit or _ended(kept.returncode, printed)

    def _close(self, printed: Path, job: Job) -> None:
        """Take secrets and surplus out of what was printed; it stays a file, whatever is there."""
        if not printed.is_file() or printed.is_symlink():
            remove(printed)
            printed.write_text("what was printed is gone: the code took it away\n")
        self._cut_bytes += cut(printed)
        clear(printed, job)
        if self._cut_bytes:
            with printed.open("a", encoding="utf-8") as log:
                log.write(f"\n… and {self._cut_bytes:,} bytes more, which are not kept\n")

    def _wait(self, process: subprocess.Popen[bytes], workspace: Workspace) -> WorkerResult | None:
        """Sleep until the worker ends or exceeds a limit; return an account only in that case."""
        job, printed = workspace.job, workspace.folder / PRINTED
        begin = time.monotonic()
        handle = os.pidfd_open(process.pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            while not poller.poll(LOOK_EVERY_S * 1000):
                self.tick()
                with suppress(OSError):  # the code may have taken it away
                    self._cut_bytes += cut(printed, MOST_ON_DISK)
                if job.timeout_s is not None and time.monotonic() - begin > job.timeout_s:
                    limit = f"{job.timeout_s / 60:g} minutes (run.timeout_min)"
                    return stopped("timeout", f"stopped after {limit}")
                if job.memory_bytes is not None and kept_rss_bytes(process.pid) > job.memory_bytes:
                    limit = f"{job.memory_bytes / 2**30:g} GiB (run.memory_gib)"
                    return stopped("out_of_memory", f"stopped at more than {limit}")
        finally:
            os.close(handle)
        return None


class _Kept:
    """A worker with its keeper, for the length of a `with`; nothing of them is left after it.

    Args:
        command: the worker's.
        workspace: its job and folders.
        log: what receives all that it prints.
    """

    def __init__(self, command: list[str], workspace: Workspace, log: BinaryIO):
        self.returncode = 0
        """The worker's, negative for a signal, once it has ended."""
        self._known = frozenset(keeper.children(os.getpid()))
        self._link, theirs = socket.socketpair()
        passed = [theirs.fileno(), *lock_descriptors()]
        words = [sys.executable, "-I", "-S", keeper.__file__, ",".join(map(str, passed))]
        keeper.adopt_orphans(True)
        with theirs:
            self.keeper = subprocess.Popen(
                [*words, str(workspace.inputs), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=passed,
                start_new_session=True,
                cwd=workspace.inputs,
                env={**KERNELS, **environment_of(workspace.job), **_whole_paths(), **QUIET, **UTF8},
            )

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
        if self.keeper.returncode:  # it was killed: what it kept is ours now
            keeper.end_children(None, self._known)
        keeper.adopt_orphans(False)
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
