"""Who works on a machine at a time: several jobs side by side, or one that is measured, alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
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

    slot: int
    """Its number, from 0; of those who are there at once each has another."""
    neighbours: int = 0
    """Others that were there meanwhile, the most at once."""


class Occupancy:
    """The slots of one machine.

    Args:
        slots: how many jobs may be there at once.
        tick: called about twice a second by whoever waits; what it raises ends the waiting.
    """

    def __init__(self, slots: int, tick: Callable[[], None]):
        self.slots = slots
        self.tick = tick
        self._staying: list[Stay] = []
        self._alone = False
        self._changed = threading.Condition()

    @contextmanager
    def place(self, alone: bool) -> Iterator[Stay]:
        """Wait for a place and keep it.

        Whoever is to be alone waits until nobody is there. Others come and go before it as long as
        there are any: who has jobs for all slots has them done first.

        Args:
            alone: whether nobody else may be there.
        """
        with self._changed:
            while not self._is_room(alone):
                if not self._changed.wait(LOOK_EVERY_S):
                    self.tick()
            stay = Stay(min(set(range(self.slots)) - {one.slot for one in self._staying}))
            self._staying.append(stay)
            self._alone = alone
            for one in self._staying:
                one.neighbours = max(one.neighbours, len(self._staying) - 1)
        try:
            yield stay
        finally:
            with self._changed:
                self._staying.remove(stay)
                self._alone = False
                self._changed.notify_all()

    def _is_room(self, alone: bool) -> bool:
        if self._alone:
            return False
        return not self._staying if alone else len(self._staying) < self.slots
