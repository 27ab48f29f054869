"""Parameters are chosen inside the fit, by the effort of the task; functions stand in for models.

An arm's accuracy is a known function of its parameters: what is best is known.
"""

from __future__ import annotations

import json

import pytest

from harness.store.fit_account import ARTIFACT
from harness.store.run_folder import RunFolder
from harness.store.search_record import SEARCH, read_search
from harness.types import RESUMED_S

SOURCE = '''
import json
import os
import signal
from pathlib import Path
from typing import Literal
from pydantic import Field
import harness
from harness import Prediction, Strategy, search

COUNTED = Path(__file__).with_name("fits.log")
KILL = Path(__file__).with_name("kill")


class Known(Strategy):
    """Answers a share of rows rightly that its parameters decide."""

    needs_train = True

    class Params(harness.Params):
        shots: int = Field(8, json_schema_extra=search([4, 8, 16]))
        form: Literal["plain", "turns", "bare"] = Field(
            "plain", json_schema_extra=search(["plain", "turns", "bare"])
        )
        breaks: str = ""
        best: str = ""

    def fit(self, train, validation, artifact):
        said = f"{self.params.shots} {self.params.form}"
        with COUNTED.open("a") as stream:
            stream.write(said + "\\n")
        if KILL.exists() and KILL.read_text() == said:
            raise KeyboardInterrupt
        if KILL.exists() and KILL.read_text() == f"-9 {said}":
            os.kill(os.getpid(), signal.SIGKILL)
        if said in self.params.breaks.split(","):
            raise RuntimeError(f"{said} is no good")
        (artifact / "kept.json").write_text(json.dumps({"said": said}))
        self.context.note("kept", said)

    def load(self, artifact):
        kept = json.loads((artifact / "kept.json").read_text())["said"]
        assert kept == f"{self.params.shots} {self.params.form}", "other parameters than it learnt"

    def predict(self, queries):
        share = 2 + 2 * (self.params.shots == 16) + 3 * (self.params.form == "turns")
        if self.params.best:
            share = 9 if f"{self.params.shots} {self.params.form}" in self.params.best else 2
        return [Prediction(_answer(q, int(q.text.split()[-1]) % 10 < share)) for q in queries]


def _answer(query, right):
    truth = "ab"[int(query.text.split()[-1]) % 2]
    return truth if right else {"a": "b", "b": "a"}[truth]


class Weighing(Known):
    learns = "weights"


class Deaf(Known):
    """Takes one form for another, as an arm does whose task gives a parameter nothing to change."""

    def equivalents(self):
        return {"form": ["plain", "turns"]}


class Rated(Strategy):
    class Params(harness.Params):
        rate: float = Field(1e-2, json_schema_extra=search(harness.log(1e-4, 1.0)))

    def predict(self, queries):
        near = 9 - min(8, abs(round(4 * __import__("math").log10(self.params.rate / 0.2))))
        return [Prediction(_answer(q, int(q.text.split()[-1]) % 10 < near)) for q in queries]


class Refitting(Known):
    """Learns from validation rows in the end: as a candidate it must not."""

    @classmethod
    def refits(cls, params):
        return True

    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        held = self.context.holds_out_validation
        (artifact / "rows.json").write_text(json.dumps([held]))
'''


def rows(name, n):
    return [{"id": f"{name}{i}", "text": f"{name} {i}", "label": "ab"[i % 2]} for i in range(n)]


@pytest.fixture
def task(tiny, tmp_path):
    """Write a task with 100 validation rows; arms and effort are given."""

    def write(arms, effort, validation=100, **changes):
        path = tiny(tmp_path, SOURCE, arms, effort=effort, **changes)
        text = "".join(json.dumps(row) + "\n" for row in rows("validation", validation))
        (tmp_path / "validation.jsonl").write_text(text)
        (tmp_path / "fits.log").unlink(missing_ok=True)
        return path

    return write


KNOWN = {"use": "own.py:Known", "name": "known"}
WEIGHING = {"use": "own.py:Weighing", "name": "known"}


def search_of(folder: RunFolder, record):
    return read_search(folder.fit_folder(record.arm, record.fit_id))


def fits(path) -> list[str]:
    return (path.parent / "fits.log").read_text().splitlines()


@pytest.mark.parametrize("arm", [KNOWN, WEIGHING], ids=["racing", "whole"])
def test_the_best_parameters_are_found_kept_and_served(task, run_tiny, tmp_path, arm):
    path = task([arm], {"trials": 9})
    folder, records = run_tiny(path, tmp_path / "run")
    record = records["known"]
    assert record.status == "ok", record.error
    found = search_of(folder, record)
    assert found.params == {"shots": 16, "form": "turns"}
    assert len(found.trials) == 9
    assert found.trials[0].changed == {}
    assert found.trials[0].score == pytest.approx(0.2)
    assert found.trials[found.chosen].score == pytest.approx(0.7)
    assert record.params["shots"] == 8  # as the task has it; what was chosen lies in search.json
    assert {note.kind: note.text for note in record.fit.notes}["kept"] == "16 turns"
    job = json.loads(
        (folder.trial_folder("known", record.fit_id, record.trial_id) / "job.json").read_text()
    )
    assert job["params"]["shots"] == 16
    assert set(record.fit.files) == {SEARCH}
    artifact = folder.fit_folder("known", record.fit_id) / ARTIFACT
    assert [file.name for file in artifact.iterdir()] == ["kept.json"]
    assert sorted(fits(path)) == sorted(set(fits(path)))  # none twice


def test_what_comes_to_the_same_is_not_tried(task, run_tiny, tmp_path):
    path = task([{"use": "own.py:Deaf", "name": "deaf"}], {"trials": 9})
    (tmp_path / "kill").write_text("16 plain")
    with pytest.raises(KeyboardInterrupt):
        run_tiny(path, tmp_path / "run")
    (tmp_path / "kill").unlink()
    folder, records = run_tiny(path, tmp_path / "run")  # what was tried lies in the journal
    found = search_of(folder, records["deaf"])
    tried = [(t.changed.get("shots", 8), t.changed.get("form", "plain")) for t in found.trials]
    assert sorted(tried) == [(n, form) for n in (4, 8, 16) for form in ("bare", "plain")]
    assert found.ended == "space"


def test_racing_chooses_as_the_whole_search_does_and_asks_less(task, run_tiny, tmp_path):
    chosen, asked = [], []
    for number, arm in enumerate((KNOWN, WEIGHING)):
        folder, records = run_tiny(task([arm], {"trials": 9}), tmp_path / f"run{number}")
        found = search_of(folder, records["known"])
        chosen.append(found.params)
        asked.append(sum(trial.rows for trial in found.trials))
    assert chosen[0] == chosen[1]
    # 9 × 16, then the best 3 and the defaults on 48, then 1 and the defaults on 100; or 9 × 100.
    assert asked == [100 + 5 * 16 + 2 * 48 + 100, 900]


def test_without_effort_nothing_is_tried(task, run_tiny, tmp_path):
    path = task([KNOWN], "none")
    folder, records = run_tiny(path, tmp_path / "run")
    assert fits(path) == ["8 plain"]
    assert search_of(folder, records["known"]) is None
    assert records["known"].fit.files == {}


def test_an_effort_of_one_trial_is_the_defaults_and_says_so(task, run_tiny, tmp_path):
    path = task([KNOWN], {"trials": 1})
    folder, records = run_tiny(path, tmp_path / "run")
    assert fits(path) == ["8 plain"]
    assert "room for one trial" in search_of(folder, records["known"]).why


def test_minutes_too_few_for_the_defaults_are_said(task, run_tiny, tmp_path):
    path = task([KNOWN], {"minutes": 1e-9})
    folder, records = run_tiny(path, tmp_path / "run")
    found = search_of(folder, records["known"])
    assert fits(path) == ["8 plain"]
    assert (found.ended, found.chosen) == ("minutes", 0)
    assert "used up the minutes" in found.why
    assert records["known"].status == "ok"


def test_the_defaults_stay_where_the_lead_is_within_one_standard_error(task, run_tiny, tmp_path):
    path = task([{**KNOWN, "form": "plain", "best": "none"}], {"trials": 3})
    folder, records = run_tiny(path, tmp_path / "run")
    found = search_of(folder, records["known"])
    assert (found.chosen, found.lead) == (0, 0)


def test_a_candidate_that_fails_is_a_trial_with_its_error(task, run_tiny, tmp_path):
    path = task([{**KNOWN, "breaks": "16 plain,8 bare"}], {"trials": 9})
    folder, records = run_tiny(path, tmp_path / "run")
    found = search_of(folder, records["known"])
    failed = [trial for trial in found.trials if trial.error]
    assert {trial.error for trial in failed} == {
        "RuntimeError: 16 plain is no good",
        "RuntimeError: 8 bare is no good",
    }
    assert found.params == {"shots": 16, "form": "turns"}
    assert "of which 2 failed" in found.why


def test_defaults_that_fail_leave_the_best_of_the_others(task, run_tiny, tmp_path):
    path = task([{**KNOWN, "breaks": "8 plain"}], {"trials": 9})
    folder, records = run_tiny(path, tmp_path / "run")
    assert records["known"].status == "ok"
    found = search_of(folder, records["known"])
    assert found.params == {"shots": 16, "form": "turns"}
    assert "the defaults failed" in found.why


def test_an_arm_of_which_nothing_works_has_failed(task, run_tiny, tmp_path):
    every = ",".join(f"{n} {form}" for n in (4, 8, 16) for form in ("plain", "turns", "bare"))
    path = task([{**KNOWN, "breaks": every}], {"trials": 9})
    _, records = run_tiny(path, tmp_path / "run")
    assert records["known"].status == "failed"
    assert "the defaults failed: RuntimeError: 8 plain is no good" in records["known"].error


def test_a_killed_search_goes_on_where_it_was(task, run_tiny, tmp_path):
    path = task([WEIGHING], {"trials": 9})
    whole, records = run_tiny(path, tmp_path / "whole")
    wanted = search_of(whole, records["known"])
    (tmp_path / "fits.log").unlink()
    (tmp_path / "kill").write_text("16 plain")
    with pytest.raises(KeyboardInterrupt):
        run_tiny(path, tmp_path / "run")
    before = fits(path)
    (tmp_path / "kill").unlink()
    folder, records = run_tiny(path, tmp_path / "run")
    found = search_of(folder, records["known"])
    again = fits(path)[len(before) :]
    assert set(before[:-1]).isdisjoint(again)  # but for the one in which it was killed
    assert [trial.changed for trial in found.trials] == [t.changed for t in wanted.trials]
    assert [trial.score for trial in found.trials] == [t.score for t in wanted.trials]
    assert found.chosen == wanted.chosen
    took = {m.phase: m.wall_s for m in records["known"].fit.measurements}["fit"]
    assert took >= sum(trial.wall_s for trial in found.trials) * 0.99  # earlier attempts count
    assert not list((tmp_path / "run").rglob(RESUMED_S))


def test_a_worker_that_is_killed_leaves_what_it_tried(task, run_in_processes, tmp_path):
    """In processes: what is in memory alone is lost, which an interrupt of this one cannot show."""
    path = task([KNOWN], {"trials": 9})
    (tmp_path / "kill").write_text("-9 16 plain")
    _, records = run_in_processes(path, tmp_path / "run")
    assert records["known"].status == "out_of_memory"  # what a kill from outside is taken for
    before = fits(path)
    (tmp_path / "kill").unlink()
    folder, records = run_in_processes(path, tmp_path / "run")
    assert records["known"].status == "ok", records["known"].error
    assert set(before[:-1]).isdisjoint(fits(path)[len(before) :])
    assert search_of(folder, records["known"]).params == {"shots": 16, "form": "turns"}


def test_the_same_seed_tries_the_same_on_another_machine(task, run_tiny, tmp_path):
    tried = []
    for number in range(2):
        path = task([{"use": "own.py:Rated"}], {"trials": 14})
        folder, records = run_tiny(path, tmp_path / f"run{number}")
        found = search_of(folder, records["rated"])
        tried.append([(trial.changed, trial.score, trial.rows) for trial in found.trials])
    assert tried[0] == tried[1]
    assert len(tried[0]) == 14


def test_an_arm_is_searched_once_for_all_its_seeds(task, run_tiny, tmp_path):
    path = task([KNOWN], {"trials": 9}, seeds=[3, 5])
    folder, _ = run_tiny(path, tmp_path / "run")
    records = sorted(folder.trials().values(), key=lambda record: record.seed)
    assert [search_of(folder, record).params for record in records] == [
        {"shots": 16, "form": "turns"}
    ] * 2
    assert [search_of(folder, record).of_seed for record in records] == [3, 3]
    assert fits(path)[-1] == "16 turns"
    assert len(fits(path)) == 10
    assert [record.status for record in records] == ["ok", "ok"]


def test_another_effort_is_another_fit_and_the_same_one_is_not(task, run_tiny, tmp_path):
    path = task([KNOWN], {"trials": 9})
    run_tiny(path, tmp_path / "run")
    n = len(fits(path))
    run_tiny(path, tmp_path / "run")
    assert len(fits(path)) == n
    path.write_text(path.read_text().replace('"trials": 9', '"trials": 4'))
    run_tiny(path, tmp_path / "run")
    assert len(fits(path)) == n + 4


def test_a_search_that_was_changed_on_disk_is_done_again(task, run_tiny, tmp_path):
    path = task([KNOWN], {"trials": 4})
    folder, records = run_tiny(path, tmp_path / "run")
    place = folder.fit_folder("known", records["known"].fit_id) / SEARCH
    place.write_text(place.read_text().replace('"chosen": ', '"chosen": 1'))
    run_tiny(path, tmp_path / "run")
    assert len(fits(path)) == 8
    assert search_of(folder, records["known"]) is not None


def test_who_learns_from_validation_rows_does_so_when_all_is_chosen(task, run_tiny, tmp_path):
    path = task([{"use": "own.py:Refitting", "name": "known"}], {"trials": 9})
    folder, records = run_tiny(path, tmp_path / "run")
    assert fits(path)[-1] == "16 turns"
    assert len(fits(path)) == 10  # as a candidate it was held off from them
    artifact = folder.fit_folder("known", records["known"].fit_id) / ARTIFACT
    assert json.loads((artifact / "rows.json").read_text()) == [False]


def test_few_validation_rows_need_no_race(task, run_tiny, tmp_path):
    path = task([KNOWN], {"trials": 9}, validation=3)
    folder, records = run_tiny(path, tmp_path / "run")
    assert {trial.rows for trial in search_of(folder, records["known"]).trials} == {3}


def test_no_validation_rows_leave_the_defaults(task, run_tiny, tmp_path):
    data = {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"}
    path = task([KNOWN], {"trials": 9}, data=data)
    run_tiny(path, tmp_path / "run")
    assert fits(path) == ["8 plain"]
