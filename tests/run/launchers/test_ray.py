"""The launcher over Ray, on Ray: three nodes of one CPU each, started once.

Jobs and nodes are processes: whether Ray ends, loses and tells what we take it to can be seen on
Ray alone. What our own code decides is in test_on_nodes.py, without it.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from launched_arms import SOURCE
from launcher_contract import ENDS_WITHIN_S, LauncherContract

from harness.run.launchers.ray import RayLauncher
from harness.run.launchers.ray_cluster import joined

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
pytestmark = [
    pytest.mark.process,
    # Ray leaves its own files and sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]
MORE = '''
class Meets(Says):
    """Ends when the other has begun too."""
    class Params(Params):
        mine: str
        other: str

    def fit(self, train, validation, artifact):
        Path(self.params.mine).write_text("here")
        until = time.monotonic() + 60
        while not Path(self.params.other).exists() and time.monotonic() < until:
            time.sleep(0.05)
        (artifact / "answer").write_text(str(Path(self.params.other).exists()))

class HangsOnce(Says):
    """Hangs at the first try."""
    class Params(Params):
        tried: str

    def fit(self, train, validation, artifact):
        tried = Path(self.params.tried)
        if not tried.exists():
            tried.write_text("once")
            time.sleep(600)
        (artifact / "answer").write_text("at the second try")

class WritesAndHangs(Says):
    class Params(Params):
        begun: str

    def fit(self, train, validation, artifact):
        self.context.scratch.mkdir(exist_ok=True)
        (self.context.scratch / "half").write_text("half")
        Path(self.params.begun).write_text("yes")
        time.sleep(600)
'''
DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
from launcher_contract import LauncherContract
from pathlib import Path
from harness.run.launchers.ray import RayLauncher
from harness.run.launchers.ray_cluster import joined

one = LauncherContract()
one.root, one.own = Path(sys.argv[2]), Path(sys.argv[3])
one.make = lambda root, tick: RayLauncher(root, tick, joined(sys.argv[4]))
one.fit("Hangs")
"""


FULL = """
import ray
from harness.run.launchers.ray_cluster import Cluster

full = {"automatic_object_spilling_enabled": False, "local_fs_capacity_threshold": 0.0}
ray.init(
    "local", num_cpus=1, object_store_memory=80 * 2**20, include_dashboard=False,
    log_to_driver=False, logging_level="ERROR",
    _system_config={**full, "object_store_full_delay_ms": 10},
)
Cluster("auto").kept(bytes(200 * 2**20))
"""


@pytest.fixture(scope="module")
def cluster():
    """Three nodes of one CPU, and a head that does nothing else."""
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(3):
        made.add_node(num_cpus=1)
    handler = signal.getsignal(signal.SIGTERM)
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    signal.signal(signal.SIGTERM, handler)
    yield made
    ray.shutdown()
    made.shutdown()
    os.environ.clear()
    os.environ.update(before)


class OnRay(LauncherContract):
    knows_environment = False

    def make(self, root, tick):
        return RayLauncher(root, tick, joined("auto"))


@pytest.mark.usefixtures("cluster")
class TestContract(OnRay):
    """As every launcher."""


@pytest.fixture
def jobs(cluster, tmp_path):
    """One test's own jobs."""
    one = OnRay()
    one.root, one.own = tmp_path / "root", tmp_path / "own"
    for folder in (one.root, one.own):
        folder.mkdir()
    (one.own / "own.py").write_text(SOURCE + MORE)
    return one


def test_two_jobs_are_done_at_the_same_time(jobs, tmp_path):
    launcher = RayLauncher(jobs.root, lambda: None, joined("auto"))
    assert launcher.slots == 3
    jobs.make = lambda *_: launcher
    begun = [str(tmp_path / name) for name in ("one", "two")]

    def fit(mine, other):
        place = Path(mine).name
        return jobs.fit(
            "Meets",
            params={"mine": mine, "other": other},
            folder=place,
            artifact=f"{place}/artifact",
        )

    with ThreadPoolExecutor(2) as threads:
        fits = list(threads.map(fit, begun, reversed(begun)))
    assert [one.status for one in fits] == ["ok", "ok"]
    assert {(jobs.root / n / "artifact/answer").read_text() for n in ("one", "two")} == {"True"}
    assert [one.hardware.neighbours for one in fits] == [0, 0]


def test_a_removed_nodes_job_is_begun_again_elsewhere(cluster, jobs, tmp_path):
    launcher, tried = RayLauncher(jobs.root, lambda: None, joined("auto")), tmp_path / "tried"
    removed = []

    def remove():
        if tried.exists() and not removed:
            [stay] = launcher.places._occupancy._staying
            removed.append(next(n for n in cluster.worker_nodes if n.node_id == stay.machine))
            cluster.remove_node(removed[0], allow_graceful=False)

    launcher.tick = remove
    jobs.make = lambda *_: launcher
    fit = jobs.fit("HangsOnce", params={"tried": str(tried)})
    cluster.add_node(num_cpus=1)
    assert (fit.status, fit.error) == ("ok", None)
    assert removed
    assert [note.kind for note in fit.notes] == ["retried"]
    assert (jobs.root / "trial/artifact/answer").read_text() == "at the second try"


def test_what_a_job_wrote_until_it_was_interrupted_comes_home(jobs, tmp_path):
    begun = tmp_path / "begun"

    def tick():
        if begun.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.fit("WritesAndHangs", tick, params={"begun": str(begun)})
    assert (jobs.root / "trial/scratch/half").read_text() == "half"


def test_a_driver_that_is_killed_leaves_no_job_behind(cluster, jobs):
    support = Path(__file__).parents[2] / "support"
    words = [sys.executable, "-c", DRIVER, support, jobs.root, jobs.own, cluster.address]
    driver = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + ENDS_WITHIN_S
    while not (jobs.own / "pids").exists() and time.monotonic() < until:
        time.sleep(0.1)
    begun = (jobs.own / "pids").exists()
    driver.kill()
    said = driver.communicate()[1].decode()
    assert begun, said
    jobs.none_lives()


def test_a_jobs_secret_is_in_none_of_rays_files(cluster, jobs, monkeypatch):
    monkeypatch.setenv("MY_KEY", key := f"mine-{secrets.token_hex(16)}")
    assert jobs.fit("Tells", own_secrets=("MY_KEY",)).error == "ValueError: the key is [key]"
    session = Path(cluster.head_node.get_session_dir_path())
    files = [file for file in session.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if key.encode() in file.read_bytes()] == []


def test_what_is_measured_runs_on_nodes_of_its_class_alone(cluster, jobs):
    bench = cluster.add_node(num_cpus=1, resources={"bench": 1})
    launcher = RayLauncher(jobs.root, lambda: None, joined("auto"), measure_on="bench")
    places, run = [], launcher.run

    def look(node):
        places.extend(stay.machine for stay in launcher.places._occupancy._staying)

    launcher.run = lambda job, inputs: run(job, inputs, look)
    jobs.make = lambda *_: launcher
    fit, serve = jobs.fit("Says"), jobs.serve()
    cluster.remove_node(bench)
    assert (fit.status, serve.status) == ("ok", "ok")
    prepared, served = places
    assert prepared != bench.node_id  # one that nobody is measured on is as good
    assert served == bench.node_id


def test_a_store_and_a_disk_that_are_full_are_told_with_the_remedy(cluster):
    # A Ray of its own, in a process of its own: the cluster of the other tests has room.
    words = [sys.executable, "-c", FULL]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no room for 200 MiB for a node → start the nodes with a larger one" in ended.stderr


def test_ray_is_imported_by_no_command_that_does_not_ask_for_it():
    code = (
        "import sys, harness.cli.launching, harness.cli.run_task, harness.run.launchers.ray;"
        "print('ray' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
