"""How many trials are prepared at once, by what the task says and the machine has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli.launching import launcher_of
from harness.run.launchers.local import _own_part
from harness.task.trial_keys import Run


def slots(parallel):
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(parallel=parallel)))
    return launcher_of(task)(Path("anywhere"), lambda: None).slots


@pytest.mark.parametrize(
    ("parallel", "gpus", "cores", "found"),
    [
        (1, None, 64, 1),
        (3, None, 2, 3),
        ("auto", None, 2, 1),
        ("auto", None, 33, 4),
        ("auto", "0,1,2", 2, 3),
        ("auto", "", 16, 2),  # told to use none
    ],
)
def test_slots_are_as_many_as_said_or_as_gpus_or_cores_allow(
    monkeypatch, parallel, gpus, cores, found
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(cores))
    monkeypatch.setattr("harness.machine.device._driver", lambda: None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if gpus is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    assert slots(parallel) == found


def test_each_of_several_has_its_cores_and_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    parts = [_own_part("cuda", slot, 4) for slot in range(4)]
    assert [part["CUDA_VISIBLE_DEVICES"] for part in parts] == ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]
    assert {part["OMP_NUM_THREADS"] for part in parts} == {"2"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # the user's own stands
    assert _own_part("cpu", 0, 4) == {}
