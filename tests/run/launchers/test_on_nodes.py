"""The launcher over a cluster keeps the contract, and does again what a lost node did; without Ray.

Jobs are processes: what a node does is what the launcher of this machine does there.
"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from fake_ray import (
    FakeCluster,
    ObjectStoreFullError,
    OutOfMemoryError,
    RpcError,
    WorkerCrashedError,
)
from launched_arms import SOURCE
from launcher_contract import LauncherContract

from harness.errors import ClusterLostError, ModelError, UserError
from harness.run.job import JOB
from harness.run.launchers import on_node, ray_address, ray_cluster
from harness.run.launchers import ray as over_ray
from harness.run.launchers.ray import RayLauncher
from harness.run.launchers.ray_versions import refuse_difference, versions_here
from harness.run.trial import refused_is_failed
from harness.types import Endpoint, ModelRef

pytestmark = pytest.mark.process


class OverNodes(LauncherContract):
    @pytest.fixture(autouse=True)
    def faked(self):
        self.cluster = FakeCluster()

    def make(self, root, tick):
        return RayLauncher(root, tick, self.cluster)


class TestContract(OverNodes):
    """As every launcher."""


@pytest.fixture
def nodes(tmp_path):
    """One test's own launcher, root and cluster."""
    one = OverNodes()
    one.cluster = FakeCluster()
    one.root, one.own = tmp_path / "root", tmp_path / "own"
    for folder in (one.root, one.own):
        folder.mkdir()
    (one.own / "own.py").write_text(SOURCE)
    return one


def test_a_lost_nodes_job_is_begun_again_on_another_and_the_account_says_so(nodes):
    nodes.cluster.troubles = [WorkerCrashedError("gone"), WorkerCrashedError("gone too")]
    fit = nodes.fit("Says")
    assert (fit.status, fit.error) == ("ok", None)
    assert [name for name, _ in nodes.cluster.begun_on] == ["one", "two", "three"]
    assert [note.kind for note in fit.notes] == ["retried", "retried"]
    assert fit.notes[0].text == "begun again: lost one (WorkerCrashedError)"
    assert fit.hardware.node == "three"


def test_a_job_whose_every_node_is_lost_has_failed_and_is_begun_four_times_in_all(nodes):
    nodes.cluster.troubles = [WorkerCrashedError("gone")] * 9
    fit = nodes.fit("Says")
    assert fit.status == "failed"
    assert "begun 4 times, and each time its node was lost" in fit.error
    assert len(nodes.cluster.begun_on) == 4


def test_what_a_full_memory_or_store_ends_is_not_begun_again(nodes):
    for error, status, said in [
        (OutOfMemoryError("x"), "out_of_memory", "had hardly any memory left"),
        (ObjectStoreFullError("x"), "failed", "--object-store-memory"),
    ]:
        nodes.cluster.troubles = [error]
        fit = nodes.fit("Says")
        assert fit.status == status
        assert said in fit.error
    assert len(nodes.cluster.begun_on) == 2


@pytest.mark.parametrize("error", [ConnectionError("closed"), RpcError("silent")])
def test_a_cluster_that_is_gone_ends_the_run_and_not_the_trial_alone(nodes, error):
    nodes.cluster.troubles = [error]
    with pytest.raises(ClusterLostError, match=r"cluster at fake is gone \(.+ → start it again"):
        refused_is_failed(lambda: nodes.fit("Says"), lambda failed: failed)
    assert (nodes.root / "trial" / JOB).is_file()


def test_a_node_without_room_is_left_for_another(nodes, monkeypatch):
    full, real = OSError(errno.ENOSPC, "No space left on device", "/there"), on_node.unpacked

    def once(parcel, folder):
        monkeypatch.setattr(on_node, "unpacked", real)
        raise full

    monkeypatch.setattr(on_node, "unpacked", once)
    fit = nodes.fit("Says")
    assert fit.status == "ok"
    assert "lost one (no room: /there: No space left on device" in fit.notes[0].text


def test_secrets_travel_apart_from_the_job_and_only_the_jobs_own(nodes, monkeypatch):
    monkeypatch.setenv("MY_KEY", "mine-to-be-kept")
    monkeypatch.setenv("OTHER_KEY", "of-another-arm")
    nodes.fit("Says", own_secrets=("MY_KEY",))
    [(order, parcel, secrets)] = nodes.cluster.arguments
    assert secrets == {"MY_KEY": "mine-to-be-kept"}
    assert "mine-to-be-kept" not in repr(order)
    assert b"mine-to-be-kept" not in parcel
    assert "MY_KEY" in os.environ


def test_code_and_files_of_ones_own_travel_by_content(nodes):
    (nodes.own / "beside.py").write_text("ANSWER = 'b'\n")
    (nodes.own / "data").mkdir()
    (nodes.own / "data/table.txt").write_text("c")
    outside = nodes.own.parent / "outside.txt"
    outside.write_text("d")
    (nodes.own / "reads.py").write_text(READS)
    params = {"table": str(nodes.own / "data/table.txt"), "other": str(outside)}
    fit = nodes.fit("Says", strategy="reads.py:Reads", params=params)
    assert (fit.status, fit.error) == ("ok", None)
    assert (nodes.root / "trial/artifact/answer").read_text() == "b c d"
    where = (nodes.root / "trial/artifact/where").read_text()
    assert not Path(where).is_relative_to(nodes.own)


READS = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import beside
from harness import InputFile, Params, Prediction, Strategy

class Reads(Strategy):
    class Params(Params):
        table: InputFile
        other: InputFile

    def fit(self, train, validation, artifact):
        texts = [Path(name).read_text() for name in (self.params.table, self.params.other)]
        (artifact / "answer").write_text(" ".join([beside.ANSWER, *texts]))
        (artifact / "where").write_text(__file__)

    def predict(self, queries):
        return []
"""


def test_a_folder_of_weights_that_a_node_has_not_is_named_with_the_remedy(nodes):
    (nodes.own / "encodes.py").write_text(ENCODES)
    (nodes.own / "weights").mkdir()
    params = {"encoder": str(nodes.own / "weights")}
    luggage = over_ray.luggage(nodes.job("Says", strategy="encodes.py:Encodes", params=params))
    assert luggage.folders == [str(nodes.own / "weights")]
    with pytest.raises(ModelError, match=r"no folder /nowhere → copy it to this path on each node"):
        on_node._check_folder("/nowhere")


ENCODES = """
from harness import ModelName, Params, Prediction, Strategy

class Encodes(Strategy):
    class Params(Params):
        encoder: ModelName

    def predict(self, queries):
        return []
"""


def test_a_model_of_other_weights_on_the_node_is_refused(tmp_path, monkeypatch):
    here = ModelRef("owner/name", "/cache/there", "r2")
    monkeypatch.setattr(on_node, "_resolved", lambda *_: here)
    assert (
        on_node._found(ModelRef("owner/name", "/home/x", "r2"), tmp_path).location == here.location
    )
    with pytest.raises(ModelError, match="has the revision r2 here, and r1 where the run was"):
        on_node._found(ModelRef("owner/name", "/home/x", "r1"), tmp_path)
    hosted = ModelRef("gpt", "https://there", hosted=Endpoint("openai"))
    assert on_node._found(hosted, tmp_path) is hosted


def test_versions_are_compared_and_both_sides_are_named():
    here = {"Python": "3.11.7", "worth-tuning": "1", "torch": "2.13.0+cpu", "transformers": "5.23"}
    refuse_difference(here, {**here, "Python": "3.11.9", "torch": "2.13.0+cu130"}, "n")
    for name, version, said in [
        ("Python", "3.12.1", "start the node with Python 3.11"),
        ("torch", "2.12.0", "pip install torch==2.13.0 on the node"),
        ("transformers", None, "pip install transformers==5.23 on the node"),
        ("worth-tuning", None, "pip install worth-tuning==1 on the node"),
    ]:
        with pytest.raises(UserError) as refused:
            refuse_difference(here, {**here, name: version}, "10.0.0.5")
        words = str(refused.value)
        assert words.startswith(f"the node 10.0.0.5 has {name} {version or 'not installed'}")
        assert here[name] in words
        assert said in words


def test_a_node_of_another_version_ends_the_run_before_the_first_trial(nodes, monkeypatch):
    other = {**versions_here(), "torch": "0.1"}
    monkeypatch.setattr(ray_cluster, "asking", lambda: lambda *_: other)
    monkeypatch.setattr(ray_cluster, "Cluster", lambda address: nodes.cluster)
    with pytest.raises(UserError, match=r"the node one has torch 0\.1, and this machine"):
        ray_cluster.joined("fake")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("ray", None), ("auto", None), ("ray://head", ("head", 10001)),
        ("ray://head:7", ("head", 7)), ("10.0.0.1:6379", ("10.0.0.1", 6379)),
    ],
)  # fmt: skip
def test_an_address_names_a_host_and_a_port_or_ray_itself_finds_it(address, place):
    assert ray_address._place(address) == place


def test_a_head_that_nobody_answers_for_is_named_with_the_remedy():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=r"the head cannot be reached \(.+ray start --head"):
        ray_address._knock(f"ray://127.0.0.1:{port}", "127.0.0.1", port)
    with pytest.raises(UserError, match="'x' is no port"):
        ray_address._place("ray://head:x")
