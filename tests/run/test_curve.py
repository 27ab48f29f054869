"""Trials on other rows: which are planned, what they learn from, that they are resumed.

That a run with a curve comes to the same comparison at full size as one without.
"""

from __future__ import annotations

import json

import pytest

from harness.analysis import analyse
from harness.task import load_task

OWN = '''
import json
from harness import Prediction, Strategy

class Memory(Strategy):
    """Knows the numbers of the rows that it has seen, and right answers up to so many."""

    needs_train = True
    learns = "index"

    def fit(self, train, validation, artifact):
        seen = [[[row.query.id, row.targets[0]] for row in rows] for rows in (train, validation)]
        (artifact / "seen.json").write_text(json.dumps(seen))

    def load(self, artifact):
        self.train, self.validation = json.loads((artifact / "seen.json").read_text())

    def predict(self, queries):
        return [Prediction(self.answer(query)) for query in queries]

    def answer(self, query):
        number = int(query.text.split()[-1])
        return "ab"[number % 2] if number < len(self.train) + 1 else "a"

class Breaks(Memory):
    """It cannot learn from three rows."""

    def fit(self, train, validation, artifact):
        if len(train) < 4:
            raise ValueError("too few rows")
        super().fit(train, validation, artifact)
'''
ARMS = ["majority", {"use": "own.py:Memory", "name": "memory"}]
CURVE = {"sizes": [4, 8, "all"], "repeats": 2}


@pytest.fixture
def ran(tiny, run_tiny, tmp_path):
    def run(arms=ARMS, out="out", **changes):
        path = tiny(tmp_path / "task", OWN, arms, **changes)
        folder, _ = run_tiny(path, tmp_path / out)
        return folder

    return run


def points(folder):
    return [(t.arm, t.rows.size, t.rows.repeat) for t in folder.last_header().curve]


def seen(folder, trial):
    path = folder.fit_folder(trial.arm, trial.fit_id) / "artifact" / "seen.json"
    return json.loads(path.read_text())


def test_every_arm_that_needs_labels_has_a_trial_at_each_size_and_repeat(ran):
    folder = ran(curve=CURVE)
    assert points(folder) == [
        (arm, size, repeat)
        for size in (4, 8)
        for arm in ("majority", "memory")
        for repeat in (0, 1)
    ]
    records = folder.trials()
    for trial in folder.last_header().curve:
        record = records[trial.trial_id]
        assert record.status == "ok"
        assert record.rows == trial.rows
        assert trial.labels_n == trial.rows.size
        if trial.arm == "memory":
            train, validation = seen(folder, trial)
            assert len(train) + len(validation) == trial.rows.size


def test_only_named_arms_take_part(ran):
    folder = ran(curve={**CURVE, "arms": ["memory"]})
    assert {arm for arm, _, _ in points(folder)} == {"memory"}


def test_what_is_done_is_not_done_again(ran):
    folder = ran(curve=CURVE)
    before = {trial_id: record.finished_at for trial_id, record in folder.trials().items()}
    lines = folder.records.read_text().count("\n")
    again = ran(curve=CURVE)
    assert {t: r.finished_at for t, r in again.trials().items()} == before
    assert again.records.read_text().count("\n") == lines + 1  # its header


def test_a_failure_is_one_record_and_the_others_go_on(ran):
    arms = [{"use": "own.py:Breaks", "name": "breaks"}, *ARMS]
    folder = ran(arms, curve={"sizes": [4], "repeats": 1})
    records = folder.trials()
    ended = {t.arm: records[t.trial_id] for t in folder.last_header().curve}
    assert {arm: record.status for arm, record in ended.items()} == {
        "breaks": "failed",
        "majority": "ok",
        "memory": "ok",
    }
    assert "too few rows" in ended["breaks"].error


def test_a_run_with_a_curve_has_the_same_comparison_at_full_size(ran):
    plain = analyse(ran(out="plain"))
    more = ran(out="more", curve=CURVE, noise=0.2, augment={"factor": 2})
    found = analyse(more)
    assert len(more.last_header().curve) > 0
    for key in ("differences", "resolution"):
        assert getattr(found, key) == getattr(plain, key)
    # Its costs and what would change it follow from times, which no two runs have in common.
    for key in ("choice", "verdict", "provisional", "tied_with"):
        assert getattr(found.recommendation, key) == getattr(plain.recommendation, key)
    for with_curve, without in zip(found.arms, plain.arms, strict=True):
        assert with_curve.score == without.score
        assert with_curve.gap_to_best == without.gap_to_best
        assert with_curve.cost.labels_usd == without.cost.labels_usd
        assert with_curve.seeds == without.seeds


def test_noise_and_augmentation_are_trials_beside_the_arms_own(ran):
    folder = ran(noise=0.2, augment={"factor": 2, "kinds": ["typo"]})
    found = [
        (t.arm, t.rows.noise, t.rows.factor, t.rows.repeat) for t in folder.last_header().curve
    ]
    noisy = [("majority", 0.2, 1, n) for n in range(3)] + [("memory", 0.2, 1, n) for n in range(3)]
    assert found == [*noisy, ("majority", 0.0, 2, 0), ("memory", 0.0, 2, 0)]
    main = next(t for t in folder.last_header().trials if t.arm == "memory")
    given = dict(seen(folder, main)[0])  # six rows, of which a fifth is one
    for trial in folder.last_header().curve:
        if trial.arm == "memory":
            train = dict(seen(folder, trial)[0])
            if trial.rows.noise:
                assert sum(train[row] != given[row] for row in given) == 1
            else:
                assert {row for row in train if "~typo-1" in row} == {f"{r}~typo-1" for r in given}
            assert trial.labels_n == main.labels_n


def test_a_quick_run_has_no_curve_and_says_so(tiny, tmp_path):
    from progress import Silent

    from harness.run.folder_lock import opened
    from harness.run.launchers.in_process import InProcessLauncher
    from harness.run.runner import Runner
    from harness.run.site import Site

    class Telling(Silent):
        def __init__(self):
            self.said = []

        def say(self, text):
            self.said.append(text)

    task = load_task(tiny(tmp_path / "task", OWN, ARMS, curve=CURVE))
    telling = Telling()
    with opened(tmp_path / "out", task.spec.name, fresh=False) as folder:
        Runner(task, folder, telling, site=Site(InProcessLauncher)).run(quick=True)
    assert folder.last_header().curve == ()
    assert telling.said == ["--quick: `curve` is left out; run without it for them"]


def test_one_arm_alone_has_its_own_points(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path / "task", OWN, ARMS, curve=CURVE)
    folder, _ = run_tiny(path, tmp_path / "out", only=["memory"])
    records = folder.trials()
    assert {
        records[t.trial_id].arm for t in folder.last_header().curve if t.trial_id in records
    } == {"memory"}
