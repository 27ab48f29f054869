"""A cluster without Ray: its nodes are names, and what they do is done in threads of this process.

For what our own code decides: where a job goes, what travels, what is done when a node is lost.
What Ray itself does is tested on Ray (`tests/run/launchers/test_ray.py`).
"""

from __future__ import annotations

import ctypes
import threading
import time
from types import SimpleNamespace

from harness.run.launchers.places import Node
from harness.run.launchers.ray_cluster import Cluster


class RayError(Exception):
    """Base of Ray's errors."""


class WorkerCrashedError(RayError):
    """Of a lost node."""


class RayTaskError(RayError):
    """Of what was asked itself."""

    def __init__(self, cause):
        super().__init__(repr(cause))
        self.cause = cause


class OutOfMemoryError(RayError):
    """Of a node whose memory is full."""


class ObjectStoreFullError(RayError):
    """Of a store without room."""


class OutOfDiskError(RayError):
    """The same of its disk."""


class RpcError(RayError):
    """Of a cluster that does not answer."""


ERRORS = (
    RayError,
    RpcError,
    RayTaskError,
    WorkerCrashedError,
    OutOfMemoryError,
    ObjectStoreFullError,
    OutOfDiskError,
)


class FakeRay:
    """What of Ray's functions the launcher calls."""

    exceptions = SimpleNamespace(**{error.__name__: error for error in ERRORS})

    def wait(self, references, timeout):
        until = time.monotonic() + timeout
        while time.monotonic() < until and not references[0].ended.wait(0.01):
            pass
        ended = [one for one in references if one.ended.is_set()]
        return ended, [one for one in references if one not in ended]

    def get(self, reference):
        if reference.error is not None:
            raise reference.error
        return reference.value

    def cancel(self, reference, force):
        reference.interrupt()


class Reference:
    """Something that a thread works at."""

    def __init__(self, work, arguments):
        self.value = self.error = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._do, args=(work, arguments), daemon=True)
        self._thread.start()

    def _do(self, work, arguments):
        try:
            self.value = work(*arguments)
        except BaseException as problem:
            self.error = RayTaskError(problem)
        self.ended.set()

    def interrupt(self):
        if not self.ended.is_set():
            thread = ctypes.c_ulong(self._thread.ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(KeyboardInterrupt))


class FakeCluster(Cluster):
    """Nodes of one CPU each.

    Args:
        names: of the nodes.
        troubles: errors that the first things begun end with, each on whatever node it came to.
    """

    def __init__(self, names=("one", "two", "three"), troubles=()):
        self.address, self.ray, self._ours = "fake", FakeRay(), False
        self.living = [Node(id=name, name=name, cpus=1.0) for name in names]
        self.troubles = list(troubles)
        self.begun_on = []
        self.asked = []
        self.arguments = []
        self.put = []

    def nodes(self):
        return self.living

    def begun(self, node, work, arguments, **options):
        if options.get("num_cpus") == 0:
            self.asked.append((node.name, options))
            return Reference(work, arguments)
        self.begun_on.append((node.name, options))
        self.arguments.append(arguments)
        if self.troubles:
            trouble = self.troubles.pop(0)

            def fails(*_):
                return None

            reference = Reference(fails, ())
            reference.ended.wait()
            reference.error = trouble
            return reference
        return Reference(work, arguments)

    def kept(self, parcel):
        self.put.append(parcel)
        return parcel
