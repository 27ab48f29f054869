"""What all tests share: the order of their files, their markers, each process's share of cores."""

from __future__ import annotations

import csv
import os
import signal
import sys
import tempfile

import pytest
import weights
from hypothesis import HealthCheck, settings

# The key that signs run folders is each user's own; tests have one of theirs.
CONFIG = tempfile.TemporaryDirectory(prefix="harness-tests-config-")
os.environ["XDG_CONFIG_HOME"] = CONFIG.name
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

if WORKERS > 1:
    # Inherited by every process that a test starts. More threads than cores wait for each other.
    threads = max(1, len(os.sched_getaffinity(0)) // WORKERS)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

# What a property says must not depend on how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

LONGEST = (
    "test_main_job.py",
    "test_models.py",
    "test_hosted_run.py",
    "test_rulers.py",
    "test_footprint.py",
    "test_contract.py",
    "test_run_command.py",
)
"""Files that take half a minute or more: dealt out last, one of them would keep others waiting."""


def pytest_collection_modifyitems(items):
    """Mark what starts processes or loads torch, and begin with the longest files."""
    for item in items:
        weights.mark(item)
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(autouse=True)
def what_tests_share():
    """Let a test fail that leaves changed what all tests of a process share, not one after it."""
    before = _shared()
    yield
    assert _shared() == before, "the test leaves this changed for those after it"


def _shared():
    return {
        "working directory": os.getcwd(),
        "longest cell of csv": csv.field_size_limit(),
        "recursion limit": sys.getrecursionlimit(),
        "handler of SIGINT": signal.getsignal(signal.SIGINT),
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME"),
    }


@pytest.fixture(autouse=True)
def plots_are_not_drawn(request, what_tests_share, monkeypatch):
    """Put an empty drawing in the place of each plot, but where a test asks for `drawn_plots`.

    It asks for `what_tests_share` so that `monkeypatch`, which it shares with the test, has undone
    its changes by the time that one looks.

    A page has some twenty drawings, each a tenth of a second: more than all that most tests do.
    """
    draw = sys.modules.get("reports.plots.draw")
    if draw is not None and "drawn_plots" not in request.fixturenames:
        empty = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>plot</text></svg>'
        )
        monkeypatch.setattr(draw, "_converted", lambda spec: empty)


@pytest.fixture
def drawn_plots():
    """Say that plots are to be drawn."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Let a quick test with its fixtures do only what is quick."""
    with weights.held_to_marker(item):
        return (yield)
