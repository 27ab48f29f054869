"""Arms with several seeds: how many each has, what each learns from, which one is shipped."""

from __future__ import annotations

import json

import pytest

from harness.analysis import Comparison, analyse
from harness.cli.commands import run_command
from harness.run.predict_new import answer_with
from harness.store.validation_score import shipped, validated
from harness.task import load_task
from harness.types import Query
from reports import whole_markdown

OWN = '''
import json
from harness import Prediction, Strategy

class Lucky(Strategy):
    """Right on validation rows that it has seen and others of an even number; seed 1 on all."""

    needs_train = True
    learns = "weights"

    def fit(self, train, validation, artifact):
        ids = [[row.query.id for row in split] for split in (train, validation)]
        (artifact / "seen.json").write_text(json.dumps([self.context.seed, *ids]))

    def load(self, artifact):
        self.seed, self.train, self.validation = json.loads((artifact / "seen.json").read_text())

    def predict(self, queries):
        return [Prediction(self.answer(query), notes=(f"seed {self.seed}",)) for query in queries]

    def answer(self, query):
        number = int(query.text.split()[-1])
        right = "ab"[number % 2]
        return right if self.seed == 1 or number < 2 + self.seed else "ab"[1 - number % 2]

class Sure(Lucky):
    """The same, and it says that a seed changes nothing."""

    @classmethod
    def is_random(cls, params):
        return False

class Refits(Lucky):
    """The same, and it says that it learns from validation rows too."""

    @classmethod
    def refits(cls, params):
        return True

class Breaks(Lucky):
    """It fails on validation rows."""

    def predict(self, queries):
        if any(query.id in self.validation for query in queries):
            raise ValueError("no")
        return super().predict(queries)

class Both(Lucky):
    """It builds one that is random."""

    learns = "nothing"

    @classmethod
    def parts(cls, params):
        return (("own.py:Lucky", {}),)
'''


def arm(name):
    return {"use": f"own.py:{name}", "name": name.lower()}


@pytest.fixture
def ran(tiny, run_tiny, tmp_path):
    def run(*names, **changes):
        path = tiny(tmp_path, OWN, [arm(name) for name in names], **{"seeds": None, **changes})
        folder, _ = run_tiny(path, tmp_path / "run")
        return folder, list(folder.trials().values())

    return run


def seen(folder, trial):
    text = (folder.fit_folder(trial.arm, trial.fit_id) / "artifact/seen.json").read_text()
    return json.loads(text)


def test_what_is_random_is_trained_three_times_and_all_else_once(ran):
    folder, trials = ran("Lucky", "Sure", "Both")
    seeds = {name: [t.seed for t in trials if t.arm == name] for name in ("lucky", "sure", "both")}
    assert seeds == {"lucky": [0, 1, 2], "sure": [0], "both": [0, 1, 2]}
    assert {trial.status for trial in trials} == {"ok"}
    planned = folder.last_header().trials
    assert [(plan.arm, plan.seed, plan.is_random) for plan in planned] == [
        ("lucky", 0, True), ("sure", 0, False), ("both", 0, True),
        ("lucky", 1, True), ("both", 1, True), ("lucky", 2, True), ("both", 2, True),
    ]  # fmt: skip


def test_seeds_that_are_named_are_those_of_every_arm(ran):
    _, trials = ran("Lucky", "Sure", seeds=[5, 0])
    found = sorted((t.arm, t.seed) for t in trials)
    assert found == [("lucky", 0), ("lucky", 5), ("sure", 0), ("sure", 5)]


def test_each_seed_learns_from_a_cut_of_its_own_and_the_record_says_so(ran, tmp_path):
    folder, trials = ran("Lucky")
    cuts = {trial.seed: seen(folder, trial)[1:] for trial in trials}
    task = load_task(tmp_path / "task.yaml")
    for seed, cut in cuts.items():
        rows = task.of_seed(seed)
        assert cut == [[row.query.id for row in one] for one in (rows.train, rows.validation)]
    assert len({tuple(map(tuple, cut)) for cut in cuts.values()}) == 3
    assert {len(train) for train, _ in cuts.values()} == {6}
    hashes = {plan.seed: plan.rows_sha256 for plan in folder.last_header().trials}
    assert hashes[0] == {
        name: folder.last_header().data.sha256[name] for name in ("train", "validation")
    }
    assert len({json.dumps(one) for one in hashes.values()}) == 3
    found = analyse(folder).arms[0].trainings
    assert [one.cut_anew for one in found.each] == [False, True, True]


def test_the_best_on_validation_is_shipped_and_answers_new_inputs(ran):
    folder, trials = ran("Lucky")
    assert [validated(trial).n for trial in trials] == [4, 4, 4]
    assert validated(trials[1]).value == 1.0 > max(validated(trials[n]).value for n in (0, 2))
    assert shipped(trials) is trials[1]
    assert analyse(folder).arms[0].trainings.shipped == 1
    (answer,) = answer_with(folder, "lucky", [Query("q", "new 7")])
    assert answer.notes == ("seed 1",)


def test_what_is_not_held_out_chooses_nothing(ran):
    folder, trials = ran("Refits")
    assert [validated(trial) for trial in trials] == [None] * 3
    (answer,) = answer_with(folder, "refits", [Query("q", "new 7")])
    assert answer.notes == ("seed 0",)
    assert analyse(folder).arms[0].trainings.unchosen is not None


def test_an_arm_that_fails_on_validation_rows_has_its_answers_and_a_reason(ran):
    folder, trials = ran("Breaks")
    assert [trial.status for trial in trials] == ["ok"] * 3
    found = analyse(folder).arms[0]
    assert (found.status, found.trainings.shipped) == ("ok", 0)
    # One failing row fails no other: each is asked by itself, and counts as wrong.
    assert [validated(trial).value for trial in trials] == [0.0] * 3


def test_without_validation_rows_all_seeds_learn_from_the_same_and_the_first_is_shipped(
    ran, tmp_path
):
    data = {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"}
    folder, trials = ran("Lucky", data=data)
    assert [(trial.status, validated(trial)) for trial in trials] == [("ok", None)] * 3
    assert len({json.dumps(seen(folder, trial)[1:]) for trial in trials}) == 1
    found = analyse(folder).arms[0].trainings
    assert [one.cut_anew for one in found.each] == [False] * 3
    assert found.shipped == 0


def test_one_training_more_leaves_the_others_and_serves_the_first_again_for_its_score(
    ran, tiny, run_tiny, tmp_path
):
    folder, (alone,) = ran("Lucky", seeds=[0])
    assert validated(alone) is None
    assert analyse(folder).arms[0].trainings is None
    tiny(tmp_path, OWN, [arm("Lucky")], seeds=None)
    folder, _ = run_tiny(tmp_path / "task.yaml", tmp_path / "run")
    first, *others = folder.trials().values()
    assert (first.trial_id, first.fit_reused, len(others)) == (alone.trial_id, True, 2)
    assert validated(first) is not None
    before = folder.records.read_text()
    run_tiny(tmp_path / "task.yaml", tmp_path / "run")
    added = folder.records.read_text().removeprefix(before)
    assert [json.loads(line)["kind"] for line in added.splitlines()] == ["header"]


def test_an_arm_by_name_runs_with_all_its_seeds(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, [arm("Lucky"), arm("Sure")], seeds=None)
    folder, _ = run_tiny(path, tmp_path / "run", only=["lucky"])
    assert [(t.arm, t.seed) for t in folder.trials().values()] == [("lucky", n) for n in range(3)]


def test_the_report_shows_each_training_and_the_screen_their_spread(ran, tmp_path, capsys):
    ran("Lucky", "Sure", margin=0.1)
    assert run_command(["report", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "- lucky: 3 trainings score 0.250 to 1.000" in printed
    assert "You would ship seed 1, best on validation (1.000): 1.000" in printed
    written = (tmp_path / "run" / "comparison.json").read_text()
    page = whole_markdown(Comparison.model_validate_json(written))
    trainings = page.split("<summary>Trainings</summary>")[1].split("</details>")[0]
    assert "| lucky | 0 | as given |" in trainings
    assert "| lucky | 1 | cut anew | 1.000 on 4 rows | 1.000 (" in trainings
    assert "Choosing it took all 3 trainings" in trainings
    assert "| sure |" not in trainings
    assert "Trainings" in (tmp_path / "run" / "report.html").read_text()
