"""What the figures were measured on."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any


def describe(device: str) -> dict[str, Any]:
    """Describe this machine and how busy it is, before anything is measured."""
    import torch

    from harness.machine.describe import this_machine

    load_1m, load_5m, _ = os.getloadavg()
    return {
        **this_machine(device).model_dump(),
        "device": device,
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "threads": torch.get_num_threads(),
        "bf16_native": has_bf16(),
        "load_average_before": [round(load_1m, 2), round(load_5m, 2)],
    }


def has_bf16() -> bool:
    """Return whether the hardware that computes has bfloat16 instructions."""
    from harness.machine.device import device_and_dtype

    return device_and_dtype("auto")[1] == "bfloat16"


def summary(machine: dict[str, Any]) -> str:
    """Return the machine in one line."""
    load_1m = machine["load_average_before"][0]
    native = "" if machine["bf16_native"] else "no "
    busy = " (busy: the figures will be off)" if load_1m > machine["cores"] / 2 else ""
    return (
        f"{machine['gpu'] or machine['cpu_model']}, {machine['cores']} cores,"
        f" {native}bfloat16 instructions, torch {machine['torch']} with {machine['threads']}"
        f" threads, load average {load_1m}{busy}"
    )
