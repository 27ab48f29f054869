"""Who works on which machine at a time: jobs side by side, or one that is measured, alone.

Knows machines by their names alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

LOOK_EVERY_S = 0.5
CORES_A_SLOT = 8
"""That `run.parallel: auto` gives each of several trials without a GPU: with fewer, training on a
CPU gains more from the cores than the run gains from a second trial."""


def slots_by_cores(cores: float) -> int:
    """Return how many jobs a machine without a GPU does at once, where it is left to us."""
    return max(1, int(cores) // CORES_A_SLOT)


@dataclass(eq=False)
class Stay:
    """A job on a machine."""

    machine: str
    alone: bool
    slot: int
    """Its number, from 0; of those who are on a machine at once each has another."""
    neighbours: int = 0
    """Others that were there meanwhile, the most at once."""


class Occupancy:
    """Who is on each of some machines.

    Args:
        tick: called about twice a second by whoever waits; what it raises ends the waiting.
    """

    def __init__(self, tick: Callable[[], None]):
        self.tick = tick
        self._staying: list[Stay] = []
        self._changed = threading.Condition()

    @contextmanager
    def place(self, alone: bool, offered: Callable[[], Mapping[str, int]]) -> Iterator[Stay]:
        """Wait for a place and keep it, on the emptiest machine.

        Whoever is to be alone waits until nobody is there. Others come and go before it as long as
        there are any: who has jobs for all slots has them done first.

        Args:
            alone: whether nobody else may be there.
            offered: returns the machines that will do and how many jobs each does at once, of
                equally empty ones those first that are to be taken first. Asked at each look, since
                machines come and go; what it raises ends the waiting.
        """
        while (stay := self._taken(alone, offered())) is None:
            with self._changed:
                self._changed.wait(LOOK_EVERY_S)
            self.tick()
        try:
            yield stay
        finally:
            with self._changed:
                self._staying.remove(stay)
                self._changed.notify_all()

    def _taken(self, alone: bool, slots: Mapping[str, int]) -> Stay | None:
        with self._changed:
            there = {name: [s for s in self._staying if s.machine == name] for name in slots}
            free = [name for name in slots if _is_room(there[name], alone, slots[name])]
            if not free:
                return None
            name = min(free, key=lambda one: len(there[one]) / slots[one])
            used = {stay.slot for stay in there[name]}
            stay = Stay(name, alone, next(n for n in range(slots[name]) if n not in used))
            self._staying.append(stay)
            together = [*there[name], stay]
            for one in together:
                one.neighbours = max(one.neighbours, len(together) - 1)
            return stay


def _is_room(there: list[Stay], alone: bool, slots: int) -> bool:
    if any(stay.alone for stay in there):
        return False
    return not there if alone else len(there) < slots
