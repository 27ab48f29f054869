"""What all tests share: where several run at once, each takes its share of the cores."""

from __future__ import annotations

import os

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

if WORKERS > 1:
    # Inherited by every process that a test starts. More threads than cores wait for each other.
    threads = max(1, len(os.sched_getaffinity(0)) // WORKERS)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
