"""Who works on which machine: known answers on nodes that are only named."""

from __future__ import annotations

import threading
from pathlib import PurePosixPath

import pytest

from harness.errors import UserError
from harness.run.job import Job
from harness.run.launchers import places
from harness.run.launchers.places import Node, Places, demand, slots_of
from harness.types import TaskInfo

BIG = Node("b", "big", cpus=64.0, gpus=8.0, memory_bytes=2**38, classes=frozenset({"bench=yes"}))
SMALL = Node("s", "small", cpus=4.0, memory_bytes=2**34)
HEAD = Node("h", "head", cpus=0.0)
INFO = TaskInfo("tiny", "Which letter?", "choice", {"a": "", "b": ""}, 4)


def job(kind="fit", device="cpu", **changes):
    place = PurePosixPath("trial")
    return Job(
        kind=kind, strategy="majority", strategy_base="/", params={}, task=INFO, metric="accuracy",
        model=None, seed=0, device=device, dtype="float32", budget_bytes=None, folder=place,
        artifact=place, **changes,
    )  # fmt: skip


def of(*nodes, tick=lambda: None, **asked):
    return Places(lambda: nodes, tick, **asked)


def test_a_node_does_one_job_at_once_or_with_gpus_one_for_each_or_as_many_as_asked():
    assert [slots_of(node, "cpu", None) for node in (BIG, SMALL, HEAD)] == [1, 1, 0]
    assert [slots_of(node, "cuda", None) for node in (BIG, SMALL)] == [8, 0]
    assert [slots_of(node, "cpu", 3) for node in (BIG, SMALL, HEAD)] == [3, 3, 0]
    assert [slots_of(node, "cpu", "auto") for node in (BIG, SMALL)] == [8, 1]


def test_a_job_asks_for_its_part_of_the_node_and_one_that_is_alone_for_all_of_it():
    one = demand(job(expected_bytes=2**30), SMALL, 2)
    assert (one.cpus, one.gpus, one.memory_bytes, one.share) == (2.0, 0.0, 2**30, 0.5)
    alone = demand(job("serve"), SMALL, 2)
    assert (alone.cpus, alone.gpus, alone.share) == (4.0, 0.0, 1.0)
    on_gpu = demand(job(device="cuda", expected_bytes=2**36), BIG, 8)
    assert (on_gpu.cpus, on_gpu.gpus, on_gpu.memory_bytes, on_gpu.share) == (8.0, 1.0, 0, 0.125)
    assert demand(job("serve", "cuda"), BIG, 8).gpus == 8.0


def test_no_more_memory_is_asked_for_than_a_node_has():
    assert demand(job(expected_bytes=2**40), SMALL, 1).memory_bytes == 2**34


def test_jobs_spread_over_nodes_and_count_their_neighbours():
    there = of(SMALL, BIG, jobs_a_node=2)
    with there.place(job()) as first, there.place(job()) as second:
        assert {first.node.name, second.node.name} == {"small", "big"}
        with there.place(job()) as third:
            beside = next(seat for seat in (first, second) if seat.node == third.node)
            assert (third.stay.neighbours, beside.stay.neighbours) == (1, 1)
        assert sorted((first.stay.neighbours, second.stay.neighbours)) == [0, 1]


def test_who_is_measured_has_a_node_of_the_class_to_itself_and_leaves_it_whole():
    there = of(SMALL, BIG, measure_on="bench=yes")
    with there.place(job("serve")) as served:
        assert served.node.name == "big"
        with there.place(job()) as fit:
            assert fit.node.name == "small"
        with pytest.raises(KeyboardInterrupt), of_same(there, interrupt).place(job("serve")):
            pass


def of_same(there, tick):
    there._occupancy.tick = tick
    return there


def interrupt():
    raise KeyboardInterrupt


def test_a_job_waits_until_somebody_leaves():
    left, waited = threading.Event(), []
    there = of(SMALL, tick=lambda: waited.append(left.set()))

    def stay():
        with there.place(job()):
            left.wait(20)

    thread = threading.Thread(target=stay)
    with there.place(job("serve")):
        thread.start()
        assert left.wait(20)
    thread.join()
    assert waited


def test_a_node_that_was_lost_is_taken_again_only_where_there_is_no_other():
    with of(SMALL, BIG).place(job(), avoid={"s"}) as seat:
        assert seat.node.name == "big"
    with of(SMALL).place(job(), avoid={"s"}) as seat:
        assert seat.node.name == "small"


@pytest.mark.parametrize(
    ("asked", "one", "said"),
    [
        (
            {"measure_on": "bench"},
            job("serve"),
            "no node is of the class 'bench'; known: bench=yes",
        ),
        ({}, job(device="cuda"), "no node of the cluster has a GPU"),
    ],
)
def test_a_job_that_no_node_can_take_is_refused_after_a_while(monkeypatch, asked, one, said):
    monkeypatch.setattr(places, "PATIENCE_S", 0.0)
    nodes = (SMALL, BIG) if asked else (SMALL, HEAD)
    with pytest.raises(UserError, match=said), of(*nodes, **asked).place(one):
        pass
