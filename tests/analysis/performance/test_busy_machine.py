"""A noisy machine is said, and a quiet one is not called noisy."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import analyse

TARGETS = ["yes", "no"] * 20


def findings(tmp_path, of_measurement=None, of_half=None, **machine):
    """Return what is said of a run whose facts are changed so."""
    folder = write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS)], fit_s=10)])
    header = folder.last_header()
    header = header.model_copy(update={"machine": header.machine.model_copy(update=machine)})
    folder.append(header)
    for trial in folder.trials().values():
        halves = {}
        for name in ("fit", "serve"):
            half = getattr(trial, name)
            changed = [m.model_copy(update=of_measurement or {}) for m in half.measurements]
            update = {"measurements": tuple(changed), "hardware": header.hardware}
            halves[name] = half.model_copy(update={**update, **(of_half or {})})
        folder.append(trial.model_copy(update=halves))
    return [found for found in analyse(folder).findings if "too long" in found]


@pytest.mark.parametrize(("waited_s", "said"), [(0.0, False), (0.05, False), (5.0, True)])
def test_threads_that_waited_for_a_core_tell_of_company(tmp_path, waited_s, said):
    found = findings(tmp_path, {"cpu_wait_s": waited_s}, {"load_average": 1.0})
    assert bool(found) is said
    assert not said or "busy machine: a spent" in found[0]


def test_where_waiting_is_known_the_load_average_does_not_count(tmp_path):
    # The average is of the whole host, and still holds what ran before.
    assert findings(tmp_path, {"cpu_wait_s": 0.0}, {"load_average": 40.0}) == []


@pytest.mark.parametrize(
    ("load", "host_cores", "said"), [(2.0, None, False), (4.0, None, True), (40.0, 64, False)]
)
def test_else_the_load_average_is_held_against_the_hosts_cores(tmp_path, load, host_cores, said):
    found = findings(tmp_path, None, {"load_average": load}, host_cores=host_cores)
    assert bool(found) is said


def test_hardly_any_work_says_nothing_of_a_share(tmp_path):
    tiny = {"cpu_wait_s": 0.01, "cpu_s": 0.01}
    assert findings(tmp_path, tiny, {"load_average": 40.0})  # told by the load instead
