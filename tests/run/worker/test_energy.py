"""Energy: what a counter says, and nothing where there is none."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from harness.run.worker.energy import counter, no_counter, used
from harness.run.worker.measure import Ruler
from harness.store.records import Measurement, joules_of


class NvmlError(Exception):
    pass


def nvml(readings_mj=(), gpus=1, works=True):
    """A stand-in for nvidia-ml-py whose one GPU gives these readings in turn."""
    readings = iter(readings_mj)

    def init():
        if not works:
            raise NvmlError("no driver")

    def total(_):
        reading = next(readings)
        if reading is None:
            raise NvmlError("not supported")
        return reading

    return SimpleNamespace(
        NVMLError=NvmlError,
        nvmlInit=init,
        nvmlDeviceGetCount=lambda: gpus,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetTotalEnergyConsumption=total,
    )


def measured(monkeypatch, on_gpu=True, **machine):
    monkeypatch.setitem(sys.modules, "pynvml", nvml(**machine))
    cuda = SimpleNamespace(
        is_initialized=lambda: on_gpu,
        reset_peak_memory_stats=lambda: None,
        max_memory_allocated=lambda: 2**20,
        max_memory_reserved=lambda: 2**20,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    ruler = Ruler()
    ruler.read_joules = counter("cuda")
    with ruler.phase("fit"):
        pass
    return ruler


def test_a_phase_takes_what_the_counter_went_on_by(monkeypatch):
    ruler = measured(monkeypatch, readings_mj=[5_000_000, 5_012_500])
    assert ruler.measurements[0].energy_j == pytest.approx(12.5)


@pytest.mark.parametrize(
    "machine",
    [
        {"works": False},
        {"gpus": 8},
        {"readings_mj": [None, None]},
        {"readings_mj": [1_000, None]},
        {"readings_mj": [9_000, 1_000]},  # the driver was loaded anew in between
    ],
)
def test_what_no_counter_says_is_unknown(monkeypatch, machine):
    assert measured(monkeypatch, **machine).measurements[0].energy_j is None


def test_without_the_extra_or_a_gpu_nothing_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it fails
    assert counter("cuda") is no_counter
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    assert counter("cpu") is no_counter
    assert used(None, 3.0) is None


def test_time_that_another_process_spent_makes_the_energy_unknown(monkeypatch):
    ruler = measured(monkeypatch, readings_mj=[0, 1_000])
    ruler.add_wall_s(2.0)
    assert ruler.measurements[0].energy_j is None


def test_a_phase_without_the_gpu_is_not_charged_what_it_draws_when_idle(monkeypatch):
    ruler = measured(monkeypatch, on_gpu=False, readings_mj=[0, 40_000])
    assert ruler.measurements[0].energy_j is None


@pytest.mark.parametrize(("on_gpu", "sum_j"), [(True, 5.0), (False, 4.0)])
def test_a_part_that_used_no_gpu_adds_no_energy(monkeypatch, on_gpu, sum_j):
    ruler = measured(monkeypatch, on_gpu=on_gpu, readings_mj=[0, 1_000])
    ruler.take_over(Measurement(phase="fit", wall_s=1, cpu_s=1))
    ruler.take_over(Measurement(phase="fit", wall_s=7, cpu_s=7, energy_j=4, peak_gpu_bytes=9))
    assert ruler.measurements[0].energy_j == sum_j


@pytest.mark.parametrize(
    ("fit", "predict", "sum_j"),
    [
        ({}, {"energy_j": 4, "peak_gpu_bytes": 9}, 4),  # a fit that only writes a prompt down
        ({"peak_gpu_bytes": 9}, {"energy_j": 4, "peak_gpu_bytes": 9}, None),
        ({"energy_j": 3}, {"energy_j": 4}, 7),
        ({}, {}, None),
    ],
)
def test_energy_is_that_of_all_work_that_used_the_gpu(fit, predict, sum_j):
    parts = [Measurement(phase="fit", wall_s=1, cpu_s=1, **done) for done in (fit, predict)]
    assert joules_of(parts) == sum_j


@pytest.mark.parametrize(("done_j", "sum_j"), [(4.0, 5.0), (None, None)])
def test_a_fit_that_is_taken_over_counts_whole(monkeypatch, done_j, sum_j):
    ruler = measured(monkeypatch, readings_mj=[0, 1_000])
    done = Measurement(
        phase="fit",
        wall_s=7,
        cpu_s=7,
        energy_j=done_j,
        peak_gpu_bytes=4 * 2**20,
        peak_gpu_allocated_bytes=3 * 2**20,
    )
    ruler.take_over(done)
    (last,) = ruler.measurements
    assert last.energy_j == sum_j
    assert last.wall_s >= 7
    assert last.peak_gpu_allocated_bytes == 3 * 2**20
