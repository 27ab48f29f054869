"""What a machine of a cluster is, told by itself: its hardware, and how forecasts see it.

Called on the machine in question. Knows nothing of clusters.
"""

from __future__ import annotations

from harness.machine.describe import this_machine
from harness.machine.device import device_and_dtype
from harness.machine.memory import available_bytes
from harness.plan.target_machine import Place, this_place
from harness.store.machine import Hardware


def told_of_itself(node: str, cores: float, dtype: str | None) -> tuple[Hardware, Place]:
    """Return what trials would run on here, and the same as a place without a price.

    Args:
        node: the machine's name in its cluster.
        cores: that the cluster gives to jobs here.
        dtype: the number format that the task asks for; None: no arm computes with a model, so
            neither a device nor a speed is asked for.
    """
    device, found = ("cpu", "float32") if dtype is None else device_and_dtype(dtype)
    machine = this_machine(device).given_cores(cores)
    place = this_place(machine, device, found, available_bytes(), None, dtype is not None)
    return Hardware(machine=machine, device=device, dtype=found, node=node), place
