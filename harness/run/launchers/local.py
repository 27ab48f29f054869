"""Does each job in a fresh interpreter on this machine, and stops it at its limits.

Fresh, not forked: a forked child begins with its parent's pages, and its memory would be ours.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from harness.files.atomic import atomic_write
from harness.machine.describe import this_machine
from harness.run.job import JOB, PRINTED, RESULT, Inputs, Job, Workspace
from harness.run.launchers.base import (
    Tick,
    clear,
    environment_of,
    handed_over,
    silent_end,
    stopped,
    taken_account,
)
from harness.run.worker.measure import tree_rss_bytes
from harness.store.machine import Machine
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
        read_end, write_end = os.pipe()
        command = [sys.executable, "-P", "-m", "harness.run.worker", str(self.root)]
        command += [str(workspace.job.folder), str(workspace.inputs)]
        command += [str(read_end), str(time.monotonic())]
        with (folder / PRINTED).open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[read_end],
                start_new_session=True,
                cwd=workspace.inputs,
                env={**KERNELS, **environment_of(workspace.job), **_whole_paths(), **QUIET, **UTF8},
            )
        os.close(read_end)
        try:
            past_limit = self._wait(process, workspace.job)
        finally:
            _kill_group(process)  # leaves nothing behind: neither on Ctrl-C nor from a tidy end
            process.wait()
            os.close(write_end)
            clear(folder / PRINTED, workspace.job)
        # An account is written when the work is done: what ended the process after that, a limit
        # or the system, took nothing from it.
        account = taken_account(workspace)
        return account or past_limit or _ended(process.returncode, folder / PRINTED)

    def _wait(self, process: subprocess.Popen[bytes], job: Job) -> WorkerResult | None:
        """Sleep until the worker ends or exceeds a limit; return an account only in that case."""
        begin = time.monotonic()
        handle = os.pidfd_open(process.pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            while not poller.poll(LOOK_EVERY_S * 1000):
                self.tick()
                if job.timeout_s is not None and time.monotonic() - begin > job.timeout_s:
                    limit = f"{job.timeout_s / 60:g} minutes (run.timeout_min)"
                    return stopped("timeout", f"stopped after {limit}")
                if job.memory_bytes is not None and tree_rss_bytes(process.pid) > job.memory_bytes:
                    limit = f"{job.memory_bytes / 2**30:g} GiB (run.memory_gib)"
                    return stopped("out_of_memory", f"stopped at more than {limit}")
        finally:
            os.close(handle)
        return None


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


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
