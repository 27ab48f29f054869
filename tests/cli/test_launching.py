"""Where trials are done and how many at once, by what the task says and the machine has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

from harness.cli.launching import launcher_of
from harness.errors import UserError
from harness.run.launchers import ray_address
from harness.run.launchers.local import _own_part
from harness.run.launchers.ray import RayLauncher
from harness.task.trial_keys import Run


def slots(parallel):
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(parallel=parallel)))
    return launcher_of(task)(Path("anywhere"), lambda: None).slots


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
    task = SimpleNamespace(spec=SimpleNamespace(run=Run(measure_on="bench")))
    with pytest.raises(UserError, match=r"run.measure_on \(bench\) .* → name the cluster"):
        launcher_of(task)


def test_each_of_several_has_its_cores_and_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    parts = [_own_part("cuda", slot, 4) for slot in range(4)]
    assert [part["CUDA_VISIBLE_DEVICES"] for part in parts] == ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]
    assert {part["OMP_NUM_THREADS"] for part in parts} == {"2"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # the user's own stands
    assert _own_part("cpu", 0, 4) == {}


def over(monkeypatch, run, on=None):
    monkeypatch.setattr(ray_address, "check_reachable", lambda address: None)
    made = launcher_of(SimpleNamespace(spec=SimpleNamespace(run=run)), on)
    assert made.func is RayLauncher
    return made.keywords


def test_a_cluster_is_the_tasks_unless_the_command_names_another(monkeypatch):
    run = Run(on="ray://head", measure_on="bench=yes", parallel="auto")
    assert over(monkeypatch, run) == {
        "address": "ray://head",
        "measure_on": "bench=yes",
        "jobs_a_node": "auto",
    }
    assert over(monkeypatch, run, on="ray")["address"] == "ray"
    assert over(monkeypatch, Run(), on="ray")["jobs_a_node"] is None


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
        launcher_of(task)
