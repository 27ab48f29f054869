"""Where trials are done and how many at once, by what the task says and the machine has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_ray import FakeCluster
from ruamel.yaml import YAML

from harness.cli.launching import site_of
from harness.errors import UserError
from harness.plan import node_place
from harness.plan.target_machine import Place
from harness.run import environment
from harness.run.launchers import ray_address, ray_cluster
from harness.run.launchers.local import _own_part
from harness.run.launchers.places import Node
from harness.run.launchers.ray import RayLauncher
from harness.store.machine import Hardware, Machine
from harness.task.trial_keys import Run


def slots(parallel):
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(parallel=parallel)))
    site, place = site_of(task)
    assert (site.hardware, place) == ((), None)  # what this machine has
    return site.launcher(Path("anywhere"), lambda: None).slots


@pytest.mark.parametrize(
    ("parallel", "gpus", "cores", "found"),
    [
        (1, None, 64, 1),
        (3, None, 2, 3),
        ("auto", None, 2, 1),
        ("auto", None, 33, 4),
        ("auto", "0,1,2", 2, 3),
        ("auto", "", 16, 2),  # told to use none
    ],
)
def test_slots_are_as_many_as_said_or_as_gpus_or_cores_allow(
    monkeypatch, parallel, gpus, cores, found
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(cores))
    monkeypatch.setattr("harness.machine.device._driver", lambda: None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if gpus is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    assert slots(parallel) == found


def test_nodes_that_are_named_without_a_cluster_are_refused():
    for key, value in (("measure_on", "bench"), ("shared_folder", "/mnt")):
        task = SimpleNamespace(spec=SimpleNamespace(run=Run(**{key: value})))
        with pytest.raises(UserError, match=rf"run.{key} \({value}\) .* → name the cluster"):
            site_of(task)


def test_each_of_several_has_its_cores_and_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    parts = [_own_part("cuda", slot, 4) for slot in range(4)]
    assert [part["CUDA_VISIBLE_DEVICES"] for part in parts] == ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]
    assert {part["OMP_NUM_THREADS"] for part in parts} == {"2"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # the user's own stands
    assert _own_part("cpu", 0, 4) == {}


def machine(gpu, cores=8):
    return Machine(
        cpu_model="EPYC", cores=cores, memory_bytes=2**34, gpu=gpu, os="Linux", python="3.11"
    )


CARD, PLAIN = machine("NVIDIA A10G", 4), machine(None)
NODES = [
    Node("h", "head", cpus=0.0),
    Node("p", "plain", cpus=8.0, classes=frozenset({"bench"})),
    Node("q", "plain too", cpus=8.0, classes=frozenset({"bench"})),
    Node("g", "card", cpus=4.0, gpus=1.0),
]


def told(node, cores, dtype):
    """What nodes of these names say of themselves."""
    gpu = node == "card" and dtype is not None
    on = ("cuda", "bfloat16") if gpu else ("cpu", "float32")
    hardware = Hardware(machine=CARD if gpu else PLAIN, device=on[0], dtype=on[1], node=node)
    return hardware, Place("this machine", *on, 2**33, 1e12, None, 2**34)


def over(monkeypatch, run, on=None, computes=True, prices=None):
    """The cluster, and the site that a task has on it."""
    cluster = FakeCluster()
    cluster.living = NODES
    addresses = []
    monkeypatch.setattr(ray_cluster, "joined", lambda address: addresses.append(address) or cluster)
    monkeypatch.setattr(node_place, "told_of_itself", told)
    monkeypatch.setattr(environment, "computes_with_models", lambda task: computes)
    task = SimpleNamespace(spec=SimpleNamespace(run=run, dtype="auto"), prices=prices)
    site, place = site_of(task, on)
    return cluster, addresses, site, place


def test_a_cluster_is_the_tasks_unless_the_command_names_another(monkeypatch):
    run = Run(on="ray://head", measure_on="bench=yes", parallel="auto")
    cluster, addresses, site, _ = over(monkeypatch, run)
    assert addresses == ["ray://head"]
    assert site.launcher.func is RayLauncher
    assert site.launcher.keywords == {
        "cluster": cluster, "measure_on": "bench=yes", "jobs_a_node": "auto", "shared": None,
    }  # fmt: skip
    assert over(monkeypatch, run, on="ray")[1] == ["ray"]
    assert over(monkeypatch, Run(), on="ray")[2].launcher.keywords["jobs_a_node"] is None


def test_trials_are_planned_for_a_node_with_a_gpu_and_each_kind_is_asked_once(monkeypatch):
    price = SimpleNamespace(usd_per_hour=1.006)
    prices = SimpleNamespace(for_machine=lambda one: price if one == CARD else None)
    cluster, _, site, place = over(monkeypatch, Run(), on="ray", prices=prices)
    assert [(one.node, one.device, one.machine) for one in site.hardware] == [
        ("card", "cuda", CARD),
        ("plain too", "cpu", PLAIN),
    ]
    assert (place.name, place.device, place.usd_per_hour) == ("the node card", "cuda", 1.006)
    gpus = {name: options["num_gpus"] for name, options in cluster.asked}
    assert gpus == {"card": 1, "plain too": 0}


def test_trials_are_planned_for_the_nodes_that_arms_are_measured_on(monkeypatch):
    _, _, site, place = over(monkeypatch, Run(measure_on="bench"), on="ray")
    assert site.hardware[0].device == place.device == "cpu"


def test_nodes_are_asked_for_no_gpu_where_no_arm_computes_with_a_model(monkeypatch):
    cluster, _, site, _ = over(monkeypatch, Run(), on="ray", computes=False)
    assert {one.device for one in site.hardware} == {"cpu"}
    assert {options["num_gpus"] for _, options in cluster.asked} == {0}


def test_what_fails_on_a_node_is_told_with_its_name(monkeypatch):
    def fails(*_):
        raise RuntimeError("no driver")

    cluster = FakeCluster()
    monkeypatch.setattr(ray_cluster, "joined", lambda address: cluster)
    monkeypatch.setattr(node_place, "told_of_itself", fails)
    monkeypatch.setattr(environment, "computes_with_models", lambda task: True)
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(on="ray"), dtype="auto"), prices=None)
    with pytest.raises(UserError, match=r"the node (one|two|three): RuntimeError: no driver"):
        site_of(task)


def test_on_is_a_key_and_no_truth_value():  # as it was in YAML 1.1
    text = "run: {on: ray, measure_on: bench}"
    given = YAML(typ="safe").load(text)
    assert Run.model_validate(given["run"]).on == "ray"


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ray_address, "find_spec", lambda name: None)
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(on="ray")))
    with pytest.raises(
        UserError, match=r"Ray is not installed → pip install 'worth-tuning\[ray\]'"
    ):
        site_of(task)
