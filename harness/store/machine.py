"""What a trial ran on, and what else its times, memory and costs can be compared with.

Says nothing of how a machine is found out (machine/describe.py) nor of what it costs (prices.py).
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from harness.store.base import Record


class Machine(Record):
    """A machine that trials run on."""

    cpu_model: str
    """The processor's name, as the system gives it."""
    cores: int
    """That trials may use (affinity)."""
    host_cores: int | None = None
    """That there are; the load average is of all of them."""
    memory_bytes: int
    """Main memory."""
    gpu: str | None = None
    """Named where trials compute on it."""
    os: str
    """Operating system."""
    python: str
    """Version of Python."""

    def given_cores(self, cores: float) -> Machine:
        """Return the machine with so many cores for trials, or as many as it has if these are
        fewer.
        """
        return self.model_copy(update={"cores": max(1, min(self.cores, int(cores)))})


class MachineClass(NamedTuple):
    """What two machines have in common if times, memory and costs of the two can be compared.

    Processor, cores that trials may use, GPU and device decide how fast something is and what it
    reserves; machines that differ in one of them are of different classes. Main memory decides only
    whether something fits; operating system, Python and packages change with each update and are
    kept for the reader. Two machines of one class may still differ, by their cooling or neighbours.
    """

    cpu_model: str
    cores: int
    gpu: str | None
    device: str


class Hardware(Record):
    """What a process computed on."""

    machine: Machine
    device: str
    """"cpu" or "cuda"."""
    dtype: str
    """The number format of models that a run asks for."""
    node: str | None = None
    """Which of several machines; None: the one that the run was started on."""
    neighbours: Annotated[int, Field(ge=0)] = 0
    """Other jobs of the run that the machine did meanwhile, the most at once: with some, times are
    upper bounds."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of the machine, what the job was given; 1: all of it."""

    @property
    def machine_class(self) -> MachineClass:
        """What its figures can be compared with."""
        machine = self.machine
        return MachineClass(machine.cpu_model, machine.cores, machine.gpu, self.device)

    @property
    def name(self) -> str:
        """Its class in words."""
        machine = self.machine
        gpu = "" if self.device == "cpu" else f" and {machine.gpu or self.device}"
        return f"{machine.cpu_model} with {machine.cores} cores{gpu}"
