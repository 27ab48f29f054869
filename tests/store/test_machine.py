"""What makes two machines one class."""

from __future__ import annotations

import pytest

from harness.store.machine import Hardware, Machine

MACHINE = {
    "cpu_model": "Abacus 2", "cores": 2, "memory_bytes": 8, "gpu": None,
    "os": "Linux 6", "python": "3.12",
}  # fmt: skip


def hardware(device="cpu", dtype="float32", **changes):
    machine = Machine.model_validate({**MACHINE, **changes})
    return Hardware(machine=machine, device=device, dtype=dtype)


def of(**changes):
    return hardware(**changes).machine_class


def named(**changes):
    return hardware(**changes).name


@pytest.mark.parametrize(
    "change",
    [{"cpu_model": "Abacus 3"}, {"cores": 4}, {"gpu": "Abacus H1"}, {"device": "cuda"}],
)
def test_what_decides_how_fast_something_is_makes_another_class(change):
    assert of(**change) != of()


@pytest.mark.parametrize(
    "change",
    [{"memory_bytes": 9}, {"os": "Linux 7"}, {"python": "3.13"}, {"dtype": "bfloat16"},
     {"host_cores": 128}],
)  # fmt: skip
def test_what_does_not_decide_it_makes_none(change):
    assert of(**change) == of()


def test_a_machine_is_named_by_what_makes_its_class():
    assert named() == "Abacus 2 with 2 cores"
    assert named(gpu="Abacus H1", device="cuda") == "Abacus 2 with 2 cores and Abacus H1"
    assert named(device="cuda") == "Abacus 2 with 2 cores and cuda"
