"""Starts a worker as a fresh interpreter, waits without spinning, and stops it at its limits.

Fresh, not forked: a forked child begins with its parent's pages, and its memory would be ours.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.run.job import Job
from harness.run.worker.measure import tree_rss_bytes
from harness.store.records import Status, WorkerResult

LOOK_EVERY_S = 0.5
QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}
"""Kernels that oneDNN keeps, by which a CPU computes in bfloat16. It compiles one for each number
of tokens, and packed rows have another every time: most of the 1,024 that it would keep are never
used again. What the user's own environment says stands."""
LAST_WORDS = 3


def run_worker(
    job: Job,
    job_path: Path,
    stderr_path: Path,
    timeout_s: float,
    memory_bytes: int | None,
    tick: Callable[[], None],
) -> WorkerResult:
    """Run one job in a process of its own.

    Args:
        job: what to do; written to `job_path` first.
        job_path: where the worker reads it.
        stderr_path: receives everything the worker prints.
        timeout_s: wall-clock limit.
        memory_bytes: limit on the resident memory of the worker's process tree.
        tick: called about twice a second while waiting.

    Returns:
        The worker's own account, or one in its place if it could not give any.
    """
    job_path.write_text(job.model_dump_json(indent=1))
    job.result.unlink(missing_ok=True)
    read_end, write_end = os.pipe()
    command = [sys.executable, "-P", "-m", "harness.run.worker"]
    command += [str(job_path), str(read_end), str(time.time())]
    with stderr_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[read_end],
            start_new_session=True,
            cwd=job.inputs,
            env={**KERNELS, **os.environ, **QUIET},
        )
    os.close(read_end)
    try:
        stopped = _wait(process, timeout_s, memory_bytes, tick)
    finally:
        _kill_group(process)  # leaves nothing behind: neither on Ctrl-C nor from a tidy end
        process.wait()
        os.close(write_end)
    if stopped is not None:
        return stopped
    if job.result.is_file():
        return WorkerResult.model_validate_json(job.result.read_text())
    return _silent_end(process.returncode, stderr_path)


def _wait(
    process: subprocess.Popen[bytes],
    timeout_s: float,
    memory_bytes: int | None,
    tick: Callable[[], None],
) -> WorkerResult | None:
    """Sleep until the worker ends or exceeds a limit; return an account only in that case."""
    deadline = time.monotonic() + timeout_s
    handle = os.pidfd_open(process.pid)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        while not poller.poll(LOOK_EVERY_S * 1000):
            tick()
            if time.monotonic() > deadline:
                return _stopped(
                    "timeout", f"stopped after {timeout_s / 60:g} minutes (run.timeout_min)"
                )
            if memory_bytes is not None and tree_rss_bytes(process.pid) > memory_bytes:
                limit = f"{memory_bytes / 2**30:g} GiB (run.memory_gib)"
                return _stopped("out_of_memory", f"stopped at more than {limit}")
    finally:
        os.close(handle)
    return None


def _stopped(status: Status, error: str) -> WorkerResult:
    return WorkerResult(status=status, error=error)


def _silent_end(returncode: int, stderr_path: Path) -> WorkerResult:
    if returncode == -signal.SIGKILL:
        return _stopped("out_of_memory", "killed by the system, most likely for want of memory")
    words = stderr_path.read_text(errors="replace").strip().splitlines()[-LAST_WORDS:]
    ending = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    last = f"; its last words: {' / '.join(words)}" if words else ""
    return _stopped("failed", f"the worker ended with {ending} and no result{last}")


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
