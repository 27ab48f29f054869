"""What this machine and this installation are, for the record."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from harness.machine import memory
from harness.machine.device import gpu_name
from harness.store.machine import Machine

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "bitsandbytes",
    "openai",
    "sentence-transformers",
    "faiss-cpu",
    "scikit-learn",
    "numpy",
    "scipy",
    "statsmodels",
)
"""Packages whose version can change a figure."""


def this_machine(device: str) -> Machine:
    """Describe the machine that the trials run on."""
    return Machine(
        cpu_model=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        host_cores=os.cpu_count(),
        memory_bytes=memory.total_bytes(),
        gpu=_gpu() if device == "cuda" else None,
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def package_versions(distributions: set[str]) -> dict[str, str]:
    """Return the installed version of every package that can change a figure."""
    versions = {}
    for name in sorted({*PACKAGES, "worth-tuning", *distributions}):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
        return text.split("model name", 1)[1].split(":", 1)[1].split("\n", 1)[0].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _gpu() -> str:
    name = gpu_name()
    if name is not None:
        return name
    import torch

    return str(torch.cuda.get_device_name())
