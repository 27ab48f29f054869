"""Which device and number format to compute in, without importing torch where that is certain.

Importing torch takes seconds. That it will find no GPU is certain where it was built for none, and
where the driver's library is not there. A GPU's own name is asked of that driver. Knows nothing of
memory and runs.
"""

from __future__ import annotations

import ast
import ctypes
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DRIVER = "libcuda.so.1"
"""NVIDIA's driver as CUDA itself loads it: without it CUDA finds no device."""
NAME_BYTES = 256


def device_and_dtype(dtype: str) -> tuple[str, str]:
    """Return the device to use and the dtype that `auto` means on it.

    bfloat16 where the hardware multiplies it natively (CUDA compute capability 8, a CPU with
    AVX512-BF16 or AMX): it is faster there and half the size. Elsewhere it would be emulated.
    """
    if not _certainly_no_gpu():
        import torch

        if torch.cuda.is_available():
            native = torch.cuda.is_bf16_supported(including_emulation=False)
            return "cuda", ("bfloat16" if native else "float16") if dtype == "auto" else dtype
    return "cpu", ("bfloat16" if _cpu_has_bf16() else "float32") if dtype == "auto" else dtype


def gpu_name() -> str | None:
    """Return the name of the first GPU that the driver offers, as torch has it; None: no answer.

    The driver knows of CUDA_VISIBLE_DEVICES, as torch does.
    """
    driver = _driver()
    if driver is None:
        return None
    count, device = ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(NAME_BYTES)
    # Each call returns 0 if all is well (CUDA Driver API, CUresult).
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return None
    if driver.cuDeviceGet(ctypes.byref(device), 0):
        return None
    if driver.cuDeviceGetName(name, NAME_BYTES, device):
        return None
    return name.value.decode()


def gpu_ids() -> list[str]:
    """Return what names each GPU of this machine in CUDA_VISIBLE_DEVICES.

    Of those that it names already, where it is set.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name.strip()]
    driver, count = _driver(), ctypes.c_int()
    if driver is None or driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []
    return [str(number) for number in range(count.value)]


def _certainly_no_gpu() -> bool:
    """Tell whether torch, once imported, is certain to find no GPU."""
    built_for = _built_for()
    if built_for is None or built_for["hip"] is not None:  # AMD's driver is not looked at here
        return False
    return built_for["cuda"] is None or _driver() is None


def _built_for() -> dict[str, Any] | None:
    """Return which "cuda" and "hip" torch was built for, None for none; None: nobody knows.

    As its own version.py says, which torch reads too (torch.version.cuda).
    """
    found = find_spec("torch")
    if found is None or found.origin is None:
        return None
    try:
        lines = ast.parse((Path(found.origin).parent / "version.py").read_text()).body
    except (OSError, SyntaxError, ValueError):
        return None
    said: dict[str, Any] = {}
    for line in lines:
        if isinstance(line, ast.AnnAssign | ast.Assign) and isinstance(line.value, ast.Constant):
            names = [line.target] if isinstance(line, ast.AnnAssign) else line.targets
            said |= {name.id: line.value.value for name in names if isinstance(name, ast.Name)}
    return said if {"cuda", "hip"} <= set(said) else None


def _driver() -> Any | None:
    try:
        return ctypes.CDLL(DRIVER)
    except OSError:
        return None


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))
