"""Which device and number format to compute in, and how much memory there is."""

from __future__ import annotations

from pathlib import Path


def device_and_dtype(dtype: str) -> tuple[str, str]:
    """Return the device to use and the dtype that `auto` means on it.

    bfloat16 where the hardware multiplies it natively (CUDA compute capability 8, a CPU with
    AVX512-BF16 or AMX): it is faster there and half the size. Elsewhere it would be emulated.
    """
    import torch

    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "cuda", ("bfloat16" if native else "float16") if dtype == "auto" else dtype
    return "cpu", ("bfloat16" if _cpu_has_bf16() else "float32") if dtype == "auto" else dtype


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
    except (OSError, IndexError):
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))
