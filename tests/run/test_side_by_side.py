"""Trials that are prepared side by side, in processes as users run them: what runs beside what, and
that nothing else depends on it."""

from __future__ import annotations

import json
from functools import partial

import pytest
from progress import Silent

from harness.analysis import analyse
from harness.run.folder_lock import opened
from harness.run.launchers.local import LocalLauncher
from harness.run.runner import Runner
from harness.run.site import Site
from harness.task import load_task
from harness.wording.sentences import listed

pytestmark = pytest.mark.process

SOURCE = """
import os, time
from pathlib import Path
from harness import Params, Part, Prediction, Strategy

HERE = Path(__file__).parent

def moment(name):
    with open(HERE / "moments", "a") as log:
        log.write(f"{name} {time.monotonic()}\\n")

def under_way():
    lines = (HERE / "moments").read_text().splitlines()
    return {line.split()[0] for line in lines if line.startswith("fit-")}

class Rests(Strategy):
    class Params(Params):
        answer: str = "a"
        seconds: float = 0.2

    def fit(self, train, validation, artifact):
        moment(f"fit-{self.params.answer} begins")
        while (HERE / "meet").exists() and len(under_way()) < 2:  # whenever they begin
            time.sleep(0.05)
        time.sleep(self.params.seconds)
        (artifact / "answer").write_text(self.params.answer)
        (artifact / "threads").write_text(os.environ.get("OMP_NUM_THREADS", "all"))
        moment(f"fit-{self.params.answer} ends")

    def load(self, artifact):
        self.answer = (artifact / "answer").read_text()
        moment(f"serve-{self.answer} begins")

    def predict(self, queries):
        time.sleep(0.002 * len(queries))
        moment(f"serve-{self.answer} ends")
        return [Prediction(self.answer) for _ in queries]
"""
ARMS = [
    {"use": "own.py:Rests", "name": "first", "answer": "a"},
    {"use": "own.py:Rests", "name": "second", "answer": "b"},
    {"use": "own.py:Rests", "name": "third", "answer": "c"},
]


def run(path, out, slots):
    task = load_task(path)
    with opened(out, task.spec.name, fresh=False) as folder:
        Runner(task, folder, Silent(), site=Site(partial(LocalLauncher, slots=slots))).run()
    return folder


@pytest.fixture(scope="module")
def folders(tiny, tmp_path_factory):
    """The same task done one by one, and two at once."""
    found = {}
    for slots in (1, 2):
        folder = tmp_path_factory.mktemp(f"slots{slots}")
        if slots == 2:
            (folder / "meet").touch()
        found[slots] = run(tiny(folder, SOURCE, ARMS), folder / "run", slots)
    return found


@pytest.fixture(scope="module")
def spans(folders):
    """When each part of each arm of the second run began and ended, by the clock of the machine."""
    found: dict[str, list[float]] = {}
    for line in (folders[2].path.parent / "moments").read_text().splitlines():
        part, _, at_s = line.split()
        found.setdefault(part, []).append(float(at_s))
    return {part: (min(times), max(times)) for part, times in found.items()}


def overlap(one, other):
    return one[0] < other[1] and other[0] < one[1]


def test_two_are_prepared_at_once(spans):
    assert overlap(spans["fit-a"], spans["fit-b"])


def test_nothing_runs_beside_what_is_served(spans):
    for served in ("serve-a", "serve-b", "serve-c"):
        others = [span for part, span in spans.items() if part != served]
        assert not any(overlap(spans[served], span) for span in others)


def test_the_record_says_who_had_neighbours_and_what_share(folders):
    one_by_one, at_once = (folder.trials().values() for folder in folders.values())
    assert {(r.fit.hardware.neighbours, r.fit.hardware.share) for r in one_by_one} == {(0, 1.0)}
    assert {r.fit.hardware.share for r in at_once} == {0.5}
    assert max(r.fit.hardware.neighbours for r in at_once) == 1
    for records in (one_by_one, at_once):
        assert {(r.serve.hardware.neighbours, r.serve.hardware.share) for r in records} == {(0, 1)}


def test_answers_scores_and_order_are_the_same(folders):
    first, second = (json.loads(analyse(f).model_dump_json()) for f in folders.values())
    assert [row["strategy"] for row in first["rows"]] == ["first", "second", "third"]
    for key in ("strategy", "score", "answers", "status"):
        assert [row[key] for row in first["rows"]] == [row[key] for row in second["rows"]]


def test_the_report_says_whose_times_are_upper_bounds(folders):
    one_by_one, at_once = folders.values()
    assert "prepared beside" not in " ".join(analyse(one_by_one).findings)
    # The third may be begun while the slower of the two is at it, or when both are done.
    beside = [r.arm for r in at_once.trials().values() if r.fit.hardware.neighbours]
    assert {"first", "second"} <= set(beside)
    said = f"{listed(sorted(beside))}: prepared beside other trials"
    assert said in " ".join(analyse(at_once).findings)


def test_an_interrupt_leaves_no_process_and_the_next_run_goes_on(tiny, tmp_path):
    path = tiny(tmp_path, SOURCE, [{**arm, "seconds": 600.0} for arm in ARMS])

    class Pressed(Silent):
        def tick(self):
            if (tmp_path / "moments").exists():
                raise KeyboardInterrupt

    task = load_task(path)
    with opened(tmp_path / "run", "tiny", fresh=False) as folder, pytest.raises(KeyboardInterrupt):
        Runner(task, folder, Pressed(), site=Site(partial(LocalLauncher, slots=2))).run()
    (tmp_path / "task.yaml").write_text(path.read_text().replace("600.0", "0.1"))
    assert len(run(path, tmp_path / "run", 2).trials()) == 3
