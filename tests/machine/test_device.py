"""What torch would find is known without it where that is certain, and asked of it elsewhere."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import pytest

from harness.machine import device

CPU_BUILD = "__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n"
CUDA_BUILD = CPU_BUILD.replace("cuda: Optional[str] = None", "cuda: Optional[str] = '13.0'")
AMD_BUILD = CPU_BUILD.replace("hip: Optional[str] = None", "hip: Optional[str] = '7.0'")


def driver_of(*cards):
    """Answers as NVIDIA's driver does for these cards: 0 is well, results come by reference."""

    def count(place):
        ctypes.cast(place, ctypes.POINTER(ctypes.c_int)).contents.value = len(cards)
        return 0

    def name(place, size, handle):
        place.value = cards[0].encode()
        return 0

    return SimpleNamespace(
        cuInit=lambda flags: 0,
        cuDeviceGetCount=count,
        cuDeviceGet=lambda handle, number: 0,
        cuDeviceGetName=name,
    )


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Has torch be what a version.py says."""

    def write(version):
        (tmp_path / "version.py").write_text(version)
        spec = ModuleSpec("torch", None, origin=str(tmp_path / "__init__.py"))
        monkeypatch.setattr(device, "find_spec", lambda _: spec)

    return write


@pytest.mark.parametrize(
    ("version", "driver", "certain"),
    [
        (CPU_BUILD, driver_of("a card"), True),
        (CUDA_BUILD, None, True),
        (CUDA_BUILD, driver_of("a card"), False),
        (CUDA_BUILD, driver_of(), False),
        (AMD_BUILD, None, False),
        ("cuda = compute()", None, False),
        ("(", None, False),
    ],
)
def test_that_there_is_no_gpu_is_said_only_where_it_is_certain(
    build, monkeypatch, version, driver, certain
):
    build(version)
    monkeypatch.setattr(device, "_driver", lambda: driver)
    assert device._certainly_no_gpu() is certain


def test_a_torch_that_is_not_there_is_no_answer(monkeypatch):
    monkeypatch.setattr(device, "find_spec", lambda _: None)
    assert device._certainly_no_gpu() is False


def test_the_first_cards_name_is_the_drivers(monkeypatch):
    monkeypatch.setattr(device, "_driver", lambda: driver_of("NVIDIA H200", "another"))
    assert device.gpu_name() == "NVIDIA H200"
    for none in (driver_of(), SimpleNamespace(cuInit=lambda _: 100), None):
        monkeypatch.setattr(device, "_driver", lambda none=none: none)
        assert device.gpu_name() is None


def test_it_agrees_with_torch_here():
    code = (
        "import sys; from harness.machine.device import _certainly_no_gpu, device_and_dtype;"
        "found = device_and_dtype('auto'); early = 'torch' in sys.modules; import torch;"
        "assert (found[0] == 'cuda') == torch.cuda.is_available();"
        "assert early or not torch.cuda.is_available();"
        "assert early != _certainly_no_gpu()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
