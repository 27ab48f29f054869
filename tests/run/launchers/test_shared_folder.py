"""Parcels through a folder that machines share: the contract of a launcher, and what is refused.

Nodes are threads of this process; one that does not share is one that sees another path.
"""

from __future__ import annotations

import pytest
from fake_ray import FakeCluster
from launched_arms import SOURCE
from launcher_contract import LauncherContract

from harness.errors import UserError
from harness.run.launchers import shared_folder
from harness.run.launchers.ray import RayLauncher
from harness.run.launchers.shared_folder import SharedFolder


class OverFolder(LauncherContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.cluster = FakeCluster()
        self.place = tmp_path / "shared"
        self.place.mkdir(exist_ok=True)

    def make(self, root, tick):
        return RayLauncher(root, tick, self.cluster, shared=SharedFolder(self.place))


@pytest.mark.process
class TestContract(OverFolder):
    """As every launcher: jobs are processes."""


@pytest.mark.process  # what a node does with a parcel is done in a process
def test_parcels_lie_in_the_folder_and_are_gone_with_the_job_and_the_run(tmp_path):
    jobs = OverFolder()
    jobs.cluster, jobs.place = FakeCluster(), tmp_path / "shared"
    jobs.root, jobs.own = tmp_path / "root", tmp_path / "own"
    for folder in (jobs.root, jobs.own, jobs.place):
        folder.mkdir()
    (jobs.own / "own.py").write_text(SOURCE)
    launcher = jobs.make(jobs.root, lambda: None)
    jobs.make = lambda *_: launcher
    assert jobs.fit("Says").status == "ok"
    [(order, parcel, _)] = jobs.cluster.arguments
    assert jobs.cluster.put == []
    assert parcel.parent == launcher.shared.path
    assert order.shared == str(launcher.shared.path)
    assert [file.name for file in launcher.shared.path.iterdir()] == ["here"]
    launcher.close()
    assert list(jobs.place.iterdir()) == []


def test_a_folder_that_all_see_is_taken(tmp_path):
    SharedFolder(tmp_path).check(FakeCluster())


def absent(path, name):
    return shared_folder.answered(f"{path}-elsewhere", name)


def another(path, name):
    return None


def foreign(path, name):
    (tmp := shared_folder.Path(path) / "mine").mkdir(exist_ok=True)
    (tmp / "here").write_text("of another run")
    return shared_folder.answered(str(tmp), name)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (absent, "does not see what this machine writes there"),
        (another, "writes to another folder of that name"),
        (foreign, "has another folder of that name"),
    ],
)
def test_a_folder_that_is_not_shared_is_refused_with_the_node(monkeypatch, tmp_path, answers, said):
    folder, cluster = SharedFolder(tmp_path), FakeCluster(["one"])
    begun = cluster.begun
    monkeypatch.setattr(
        cluster, "begun", lambda node, _, arguments, **asks: begun(node, answers, arguments, **asks)
    )
    with pytest.raises(UserError) as refused:
        folder.check(cluster)
    words = str(refused.value)
    assert f"{tmp_path} is not shared: the node one {said}" in words
    assert "→ mount the same folder under this path on every machine" in words


def test_a_folder_that_is_not_here_or_no_whole_path_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"run.shared_folder: .+nowhere.+ → name a folder"):
        SharedFolder(tmp_path / "nowhere")
    with pytest.raises(UserError, match="shared is no whole path"):
        SharedFolder(shared_folder.Path("shared"))
