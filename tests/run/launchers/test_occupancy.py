"""Who is on a machine at once, and beside whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.run.launchers.occupancy import Occupancy


class Machines(Occupancy):
    """One machine of so many slots, or several by name."""

    def __init__(self, slots, tick=lambda: None):
        super().__init__(tick)
        self.slots = slots if isinstance(slots, dict) else {"here": slots}

    def place(self, alone):
        return super().place(alone, lambda: self.slots)


def test_each_has_a_slot_of_its_own_and_counts_the_others():
    occupancy = Machines(3)
    with occupancy.place(alone=False) as first:
        with occupancy.place(alone=False) as second, occupancy.place(alone=False) as third:
            assert {first.slot, second.slot, third.slot} == {0, 1, 2}
        with occupancy.place(alone=False) as fourth:
            assert fourth.slot == 1
    assert [stay.neighbours for stay in (first, second, third, fourth)] == [2, 2, 2, 1]


def test_whoever_is_alone_has_no_neighbours_whatever_came_before():
    occupancy = Machines(2)
    with occupancy.place(alone=False), occupancy.place(alone=False):
        pass
    with occupancy.place(alone=True) as stay:
        pass
    assert stay.neighbours == 0


@pytest.mark.parametrize(("there", "comes"), [(False, True), (True, False), (True, True)])
def test_nobody_comes_where_somebody_is_alone_nor_is_alone_where_somebody_is(there, comes):
    occupancy = Machines(2)
    inside, order = threading.Event(), []

    def second():
        inside.wait(30)
        with occupancy.place(alone=comes):
            order.append("second")

    with ThreadPoolExecutor(1) as threads:
        with occupancy.place(alone=there):
            waiting = threads.submit(second)
            inside.set()
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.1)
            order.append("first")
        waiting.result(timeout=30)
    assert order == ["first", "second"]


def test_waiting_ends_with_what_tick_raises():
    def tick():
        raise KeyboardInterrupt

    occupancy = Machines(1, tick)
    with occupancy.place(alone=False), pytest.raises(KeyboardInterrupt):
        occupancy.place(alone=False).__enter__()


def test_the_emptiest_machine_is_taken_and_of_equal_ones_the_first():
    machines = Machines({"one": 1, "two": 2})
    with machines.place(alone=False) as first, machines.place(alone=False) as second:
        assert [first.machine, second.machine] == ["one", "two"]
        with machines.place(alone=False) as third:
            assert (third.machine, third.slot, third.neighbours) == ("two", 1, 1)
    assert first.neighbours == 0


def test_what_is_offered_is_asked_again_at_each_look():
    machines = Machines({})
    machines.tick = lambda: machines.slots.update(late=1)
    with machines.place(alone=True) as stay:
        assert stay.machine == "late"
