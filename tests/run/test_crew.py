"""Steps that are done one after the other, or several at once."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.run.crew import Crew, Step


def nothing():
    pass


def test_one_at_a_time_steps_are_done_in_their_order_by_this_thread():
    done = []
    names = ["c", "a", "b"]
    steps = [Step(n, lambda n=n: done.append((n, threading.get_ident()))) for n in names]
    Crew(nothing).do(steps, 1)
    assert done == [(n, threading.get_ident()) for n in names]


@given(st.data(), st.integers(2, 5))
def test_nothing_begins_before_what_it_needs_and_all_is_done_once(data, at_once):
    count = data.draw(st.integers(0, 8))
    needs = [data.draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)]
    ended, lock = [], threading.Lock()

    def do(number):
        with lock:
            assert needs[number] <= set(ended)
        with lock:
            ended.append(number)

    steps = [
        Step(str(n), partial(do, n), frozenset(map(str, before))) for n, before in enumerate(needs)
    ]
    Crew(nothing).do(steps, at_once)
    assert sorted(ended) == list(range(count))


def test_as_many_as_allowed_are_under_way_at_once():
    met = threading.Barrier(3, timeout=30)
    Crew(nothing).do([Step(str(n), met.wait) for n in range(3)], 3)  # fewer would never meet


def test_of_several_at_once_those_of_a_lower_stage_begin_first():
    done = []
    steps = [Step(str(n), partial(done.append, n), stage=n % 2) for n in range(6)]
    crew = Crew(nothing)
    crew.do(steps, 1)
    assert done == list(range(6))
    done.clear()
    crew.do(steps, 2)
    assert set(done[:2]) <= {0, 2, 4}
    assert set(done[-2:]) <= {1, 3, 5}


def test_what_is_needed_and_is_nobodys_step_counts_as_done():
    done = []
    Crew(nothing).do([Step("a", lambda: done.append("a"), frozenset(["of yesterday"]))], 2)
    assert done == ["a"]


@pytest.mark.parametrize("problem", [ValueError("broken"), KeyboardInterrupt()])
def test_where_one_fails_the_others_are_stopped_and_no_more_begin(problem):
    crew, begun, stopped = Crew(nothing), threading.Event(), []

    def fails():
        begun.wait(30)
        raise problem

    def works():
        begun.set()
        try:
            while True:
                crew.tick()
        except KeyboardInterrupt:
            stopped.append("works")
            raise

    steps = [Step("works", works), Step("fails", fails), Step("later", partial(stopped.append, 1))]
    with pytest.raises(type(problem)):
        crew.do(steps, 2)
    assert stopped == ["works"]


def test_an_interrupt_of_whoever_waits_stops_all():
    stopped, begun = [], threading.Event()

    def pressed():
        begun.wait(30)
        raise KeyboardInterrupt

    def works():
        begun.set()
        try:
            while True:
                crew.tick()
        except KeyboardInterrupt:
            stopped.append("works")
            raise

    crew = Crew(pressed)
    with pytest.raises(KeyboardInterrupt):
        crew.do([Step("a", works), Step("b", works)], 2)
    assert stopped == ["works", "works"]
