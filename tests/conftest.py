"""What all tests share: the order of their files, and each process's share of the cores."""

from __future__ import annotations

import os

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

if WORKERS > 1:
    # Inherited by every process that a test starts. More threads than cores wait for each other.
    threads = max(1, len(os.sched_getaffinity(0)) // WORKERS)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

LONGEST = (
    "test_main_job.py",
    "test_run_command.py",
    "test_hosted_run.py",
    "test_models.py",
    "test_contract.py",
    "test_footprint.py",
    "test_likelihoods.py",
    "test_facts.py",
)
"""Files that take a minute or more: dealt out last, one of them would keep all others waiting."""


def pytest_collection_modifyitems(items):
    """Begin with the longest files."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
