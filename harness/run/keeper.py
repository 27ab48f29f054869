"""Keeps one worker: nothing that it starts outlives it, and it outlives no parent.

A process between the launcher and the worker, which runs this file alone:

    python -I -S keeper.py LINK[,LOCK…] INPUTS COMMAND…

Processes that the worker's own leave behind in sessions of their own (setsid, nohup, a double fork)
become this one's children (`PR_SET_CHILD_SUBREAPER`, prctl(2)): they count in the worker's memory
and die with it. When the launcher's end of the link closes, however that came, all of them are
killed: a worker that is stopped, holds the interpreter's lock or ignores signals too. The locks of
the run folder stay taken until then, since this process holds them too. Where this process is
killed itself, the worker dies with it (`PR_SET_PDEATHSIG`) and the launcher takes over the rest.

Linux has all of it. Elsewhere only the worker's process group dies. Not covered: processes of
another user (setuid), and a chain of processes that fork faster than they are found, which takes a
control group of one's own. Imports nothing but the standard library: it must begin at once.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Linux, include/uapi/linux/prctl.h."""
PATIENCE_S = 10.0
"""For processes that have been killed to be gone: one that waits for a disk dies afterwards."""
PAUSE_S = 0.002
DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What a terminal or a user sends to end a run is the launcher's to answer."""


def main(descriptors: str, inputs: str, command: list[str]) -> None:
    """Start a worker, wait for its end or the launcher's, and end all that is left.

    Args:
        descriptors: the socket to the launcher, which is told the worker's wait status, and locks
            to hold on to; with commas between.
        inputs: a folder to take away where the launcher is gone.
        command: the worker's; the time (`time.monotonic`) and this process's id are added to it.
    """
    link, *locks = map(int, descriptors.split(","))
    for one in (link, *locks):
        os.set_inheritable(one, False)
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    adopt_orphans(True)
    _prctl(PR_SET_PDEATHSIG, signal.SIGCONT)  # one that somebody stopped goes on then
    woken = _wakes_at_ends()
    worker = os.fork()
    if worker == 0:
        _become(command)
    poller = select.poll()
    poller.register(link, select.POLLIN)
    poller.register(woken, select.POLLIN)
    status, released = None, False
    while status is None and not released:
        ready = [place for place, _ in poller.poll()]
        if woken in ready:
            os.read(woken, 4096)
            status = _reaped().get(worker)
        released = link in ready
    end_children(worker)
    if released:
        shutil.rmtree(inputs, ignore_errors=True)
    if status is not None:
        with suppress(OSError):
            os.write(link, str(status).encode())


def _become(command: list[str]) -> None:
    """Turn this process, just forked, into the worker; never returns."""
    keeper = os.getppid()
    try:
        begun = str(time.monotonic())
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in (*DEAF_TO, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() == keeper:  # else it died before we asked to die with it
            os.execv(command[0], [*command, begun, str(keeper)])  # noqa: S606
    finally:
        os._exit(127)


def _wakes_at_ends() -> int:
    """Return a descriptor that can be read when a child has ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def _reaped() -> dict[int, int]:
    """Return the wait status of each child that has ended, by its id."""
    found: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            found[pid] = status
    return found


def end_children(group: int | None, known: frozenset[int] = frozenset()) -> None:
    """Kill all descendants of this process until none is left, and reap its children.

    Args:
        group: a process group to kill too: all there is where nobody can be asked for descendants.
        known: children that stay, with theirs.
    """
    if group is not None:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for child in children(os.getpid()):
            if child in known:
                continue
            for one in (child, *descendants(child)):
                with suppress(OSError):
                    os.kill(one, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        if not set(children(os.getpid())) - known:
            return
        time.sleep(PAUSE_S)


def adopt_orphans(yes: bool) -> None:
    """Have processes below this one whose parent ends become its children, or init's again."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(yes))


def _prctl(option: int, value: int) -> None:
    with suppress(AttributeError, OSError):  # another system than Linux
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Return the ids of all living descendants of a process (empty off Linux)."""
    found: list[int] = []
    waiting = children(pid)
    while waiting:
        child = waiting.pop()
        found.append(child)
        waiting += children(child)
    return found


def children(pid: int) -> list[int]:
    """Return the ids of a process's children; it, or one of its threads, may end meanwhile."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as listed:
                found += [int(child) for child in listed.read().split()]
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
