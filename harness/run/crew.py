"""Does the steps of a run: one after the other, or several at once, in an order that holds.

Knows nothing of trials: a step is a name, a call, and the names of what has to be done before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Step:
    """One piece of work of a run."""

    name: str
    do: Callable[[], None]
    needs: frozenset[str] = frozenset()
    """Names of the steps that come before it; those that nobody is to do count as done."""
    stage: int = 0
    """Where several are done at once, those of a lower stage are begun first."""


class Crew:
    """Does steps, and is stopped as a whole.

    Args:
        tick: called about twice a second while steps are done, by the thread that waits for them.
    """

    def __init__(self, tick: Callable[[], None]):
        self._tick = tick
        self._stopping = threading.Event()
        self._mine = threading.get_ident()

    def tick(self) -> None:
        """Pass half a second, in whatever thread.

        Raises:
            KeyboardInterrupt: the run is being stopped, and with it whoever calls this.
        """
        if threading.get_ident() == self._mine:
            self._tick()
        elif self._stopping.is_set():
            raise KeyboardInterrupt

    def do(self, steps: Sequence[Step], at_once: int) -> None:
        """Do all steps.

        The first one whose needs are done is begun whenever somebody is free, so the order in which
        steps end may differ from theirs; what they leave must not depend on it.

        Args:
            steps: those that a step needs stand before it.
            at_once: how many may be done at the same time; 1: in their order, by this very thread.

        Raises:
            BaseException: what a step raised, or an interrupt; then all that were under way have
                been stopped.
        """
        if at_once == 1:
            for step in steps:
                step.do()
            return
        waiting = sorted(steps, key=lambda step: step.stage)
        under_way = dict[Future[None], Step]()
        open_names = {step.name for step in steps}
        with ThreadPoolExecutor(at_once, "step") as threads:
            try:
                while waiting or under_way:
                    for step in _ready(waiting, open_names, at_once - len(under_way)):
                        waiting.remove(step)
                        under_way[threads.submit(step.do)] = step
                    ended, _ = wait(under_way, LOOK_EVERY_S, FIRST_COMPLETED)
                    self.tick()
                    for future in ended:
                        future.result()
                        open_names.discard(under_way.pop(future).name)
            except BaseException:
                self._stopping.set()
                raise


def _ready(waiting: Iterable[Step], open_names: set[str], most: int) -> list[Step]:
    """Return the first steps that can begin, at the most so many."""
    return [step for step in waiting if not step.needs & open_names][:most]
