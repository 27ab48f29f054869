"""A floor: what an arm is not below where it works, found once for all, and in no other figure."""

from __future__ import annotations

import json
import shutil

import pytest
from progress import Impatient

from harness import registry
from harness.analysis import Comparison, analyse
from harness.run import floors as floors_module
from harness.run.environment import Setting, header
from harness.store.run_folder import RunFolder
from harness.task import load_task
from harness.toolkit import TunedStrategy
from reports import html
from reports import whole_markdown as markdown

OWN = """
from pathlib import Path

from harness import Floor, Params, Prediction, Strategy

HERE = Path(__file__).parent

def floor(name, **params):
    return (Floor(f"own.py:{name}", params, "copying the last digit", "its prompt does not work"),)

class Digits(Strategy):
    \"\"\"Right throughout: learns which digits go with which letter.\"\"\"

    needs_train = True

    class Params(Params):
        spelled: str = "a"

    def fit(self, train, validation, artifact):
        with (HERE / "fits.txt").open("a") as stream:
            stream.write("digits\\n")
        assert {e.query.id[:5] for e in train} == {"train"}
        (artifact / "learnt").write_text(str(len(train)))

    def load(self, artifact):
        assert (artifact / "learnt").read_text() == "6"

    def predict(self, queries):
        return [Prediction("ab"[int(query.text[-1]) % 2]) for query in queries]

class Worse(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

    @classmethod
    def floors(cls, params):
        return floor("Digits")

class Wrong(Worse):
    def predict(self, queries):
        return [Prediction("ba"[int(query.text[-1]) % 2]) for query in queries]

class Good(Digits):
    class Params(Params):
        pass

    @classmethod
    def floors(cls, params):
        return floor("Digits")

class Fails(Digits):
    def fit(self, train, validation, artifact):
        raise ValueError("no luck")

class Dear(Digits):
    @classmethod
    def estimate(cls, params, prospect):
        from harness import Estimate
        from harness.workload import Embedding
        return Estimate(fit=(Embedding([q.text * 10**6 for q in prospect.train.queries], "any"),))

class Poem(Digits):
    answers = frozenset({"text"})

class Corpus(Digits):
    needs_corpus = True

def worse_than(name, **params):
    return type(f"Than{name}", (Worse,), {
        "floors": classmethod(lambda cls, given: floor(name, **params)),
        "__module__": __name__,
    })

ThanFails, ThanDear, ThanPoem = (worse_than(name) for name in ("Fails", "Dear", "Poem"))
ThanCorpus, ThanNobody = worse_than("Corpus"), worse_than("Nobody")
ThanOdd = worse_than("Digits", colour="red")

class Raises(Worse):
    @classmethod
    def floors(cls, params):
        raise KeyError("floors")
"""


def arms(*names):
    return [name if isinstance(name, dict) else {"use": f"own.py:{name}"} for name in names]


def rows_of(folder):
    return {row.strategy: row for row in analyse(folder).arms}


def fits(path):
    file = path.parent / "fits.txt"
    return len(file.read_text().split()) if file.is_file() else 0


@pytest.fixture(scope="module")
def run(tiny, run_tiny, tmp_path_factory):
    """Three arms that share a floor which is none of them."""
    folder = tmp_path_factory.mktemp("floors")
    path = tiny(folder, OWN, arms("Worse", "Wrong", "Good"))
    return path, *run_tiny(path, folder / "run")


def test_an_arm_below_its_floor_is_warned_of_on_the_first_screen(run):
    _, folder, _ = run
    comparison = analyse(folder)
    told = {one.arms: one for one in comparison.warnings if "is below" in one.text}
    assert set(told) == {("worse",), ("wrong",)}
    assert told["worse",].text == (
        "worse (0.500) is below copying the last digit (1.000): its prompt does not work; read its"
        " score so."
    )
    for text in (markdown(comparison), html(comparison)):
        assert "wrong (0.000) is below copying the last digit (1.000)" in text


def test_it_is_severe_where_the_paired_interval_excludes_0(run):
    _, folder, _ = run
    for row in rows_of(folder).values():
        [floor] = row.floors
        change = floor.difference
        assert (change.before, change.after) == (1.0, row.score.value)
        assert change.ci_low <= change.change <= change.ci_high
        assert floor.below == (change.change < 0)
    severity = {one.arms: one.severity for one in analyse(folder).warnings if "below" in one.text}
    assert severity["wrong",] == "severe"
    high = rows_of(folder)["worse"].floors[0].difference.ci_high
    assert severity["worse",] == ("severe" if high < 0 else "warning")


def test_several_arms_share_one_fit_which_no_figure_holds(run):
    path, folder, records = run
    assert fits(path) == 2  # the arm Good itself, and the floor of all three
    [kept] = (folder.path / "floors").iterdir()
    files = {"job.json", "measured.json", "predictions.jsonl", "stderr.log"}
    assert {file.name for file in kept.iterdir()} == files
    assert set(rows_of(folder)) == set(records) == {"worse", "wrong", "good"}
    measured = json.loads((kept / "measured.json").read_text())["result"]["measurements"]
    assert [one["phase"] for one in measured] == ["start"]


def test_no_target_of_the_test_split_reaches_it(run):
    _, folder, _ = run
    [kept] = (folder.path / "floors").iterdir()
    job = json.loads((kept / "job.json").read_text())
    assert job["kind"] == "floor"
    assert "target" not in json.dumps(job)


def test_run_again_nothing_is_answered_anew(run, run_tiny, tmp_path):
    path, folder, _ = run
    copy = shutil.copytree(folder.path, tmp_path / "run")
    before = fits(path)
    again, _ = run_tiny(path, copy)
    assert fits(path) == before
    assert analyse(again).warnings == analyse(folder).warnings


def test_what_was_changed_since_is_not_believed(run, tmp_path):
    _, folder, _ = run
    copy = RunFolder(shutil.copytree(folder.path, tmp_path / "run"))
    [answers] = copy.path.glob("floors/*/predictions.jsonl")
    answers.write_text(answers.read_text().replace('"a"', '"b"'))
    why = rows_of(copy)["worse"].floors[0].undefined
    assert why == f"its answers are gone, or were changed ({answers}) → run the task again"
    assert not any("below" in one.text for one in analyse(copy).warnings)
    assert any("not known" in note for note in rows_of(copy)["worse"].notes)


def test_the_page_shows_the_floor_and_the_paired_difference(run):
    _, folder, _ = run
    for text in (markdown(analyse(folder)), html(analyse(folder))):
        assert "worse, copying the last digit" in text
        assert "scores 1.000 by itself; worse differs by -0.500 (" in text


def test_a_comparison_of_an_earlier_version_reads_without(run):
    _, folder, _ = run
    written = json.loads(analyse(folder).model_dump_json(by_alias=True))
    assert written["rows"][0]["floors"][0]["description"] == "copying the last digit"
    for row in written["rows"]:
        del row["floors"]
    assert [row.floors for row in Comparison.model_validate(written).arms] == [(), (), ()]


def test_an_arm_that_is_the_floor_gives_its_answers(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse", {"use": "own.py:Digits", "name": "copy"}))
    folder, _ = run_tiny(path, tmp_path / "run")
    assert fits(path) == 1
    assert not (folder.path / "floors").exists()
    [floor] = rows_of(folder)["worse"].floors
    assert (floor.arm, floor.score.value, floor.below) == ("copy", 1.0, True)


def test_an_arm_with_other_parameters_is_another(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse", {"use": "own.py:Digits", "spelled": "b"}))
    folder, _ = run_tiny(path, tmp_path / "run")
    assert fits(path) == 2
    assert rows_of(folder)["worse"].floors[0].arm is None


def test_an_arm_that_was_to_be_the_floor_and_was_left_out_is_answered_for(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse", {"use": "own.py:Digits", "name": "copy"}))
    folder, _ = run_tiny(path, tmp_path / "run", only=["worse"])
    [floor] = rows_of(folder)["worse"].floors
    assert (floor.arm, floor.score.value) == (None, 1.0)
    assert fits(path) == 1


UNKNOWN = {
    "ThanFails": "ValueError: no luck",
    "ThanDear": "it would embed 72,000,000 characters",
    "ThanNobody": "Nobody",
    "ThanOdd": "colour",
    "Raises": "its floors failed: KeyError",
}


def test_a_floor_that_fails_is_not_known_and_fails_nothing(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms(*UNKNOWN))
    folder, records = run_tiny(path, tmp_path / "run")
    assert {record.status for record in records.values()} == {"ok"}
    for name, why in UNKNOWN.items():
        row = rows_of(folder)[name.lower()]
        [floor] = row.floors
        assert why in floor.undefined
        assert (floor.score, floor.difference, floor.below) == (None, None, None)
        assert any(note.startswith("floor: ") and why in note for note in row.notes)


def test_what_cannot_answer_the_task_is_no_floor_of_it(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("ThanPoem", "ThanCorpus"))
    folder, _ = run_tiny(path, tmp_path / "run")
    assert [row.floors for row in rows_of(folder).values()] == [(), ()]


def test_switched_off_nothing_is_answered_and_nothing_said(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse"), diagnostics={"floors": False})
    folder, _ = run_tiny(path, tmp_path / "run")
    assert (fits(path), rows_of(folder)["worse"].floors) == (0, ())
    assert not (folder.path / "floors").exists()


def test_other_test_rows_or_training_rows_are_another_floor(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse"))
    folder, _ = run_tiny(path, tmp_path / "run")
    run_tiny(path, tmp_path / "run", limit=4)
    assert len(list((folder.path / "floors").iterdir())) == 2
    assert rows_of(folder)["worse"].floors[0].score.n == 4


def test_of_an_arm_that_failed_no_floor_is_made(tiny, run_tiny, tmp_path):
    source = OWN + "\nclass Broken(Worse):\n    def predict(self, queries):\n        return None\n"
    path = tiny(tmp_path, source, arms("Broken"))
    folder, records = run_tiny(path, tmp_path / "run")
    assert records["broken"].status == "failed"
    assert not (folder.path / "floors").exists()


def test_interrupted_before_a_floor_the_run_stands(tiny, run_tiny, tmp_path):
    from harness.run.folder_lock import opened
    from harness.run.launchers.in_process import InProcessLauncher
    from harness.run.runner import Runner
    from harness.run.site import Site
    from harness.task import load_task

    path = tiny(tmp_path, OWN, arms("Worse"))
    with (
        opened(tmp_path / "run", "tiny", fresh=False) as folder,
        pytest.raises(KeyboardInterrupt),
    ):
        Runner(load_task(path), folder, Impatient("floor"), site=Site(InProcessLauncher)).run()
    interrupted = "it was interrupted → run the task again"
    assert rows_of(folder)["worse"].floors[0].undefined == interrupted
    assert rows_of(run_tiny(path, tmp_path / "run")[0])["worse"].floors[0].score.value == 1.0


def test_a_floor_is_stopped_in_time_whatever_the_task_allows(tiny, run_tiny, tmp_path):
    for minutes, limit_s in ((600, floors_module.TIMEOUT_S), (0.5, 30.0)):
        path = tiny(tmp_path, OWN, arms("Worse"), run={"timeout_min": minutes})
        folder, _ = run_tiny(path, tmp_path / f"run{minutes}")
        [job] = folder.path.glob("floors/*/job.json")
        assert json.loads(job.read_text())["timeout_s"] == limit_s


def test_with_several_seeds_the_arm_is_held_against_one_floor(tiny, run_tiny, tmp_path):
    path = tiny(tmp_path, OWN, arms("Worse"), seeds=[0, 1])
    folder, _ = run_tiny(path, tmp_path / "run")
    [row] = analyse(folder).arms
    assert (fits(path), row.seeds, row.floors[0].below) == (1, (0, 1), True)


DISTILLED = {"teacher": "few_shot", "student": "tfidf", "unlabelled": "new.jsonl"}
COSTLY = """
from harness import Floor, Prediction, Strategy

class Tuned(Strategy):
    def predict(self, queries):
        return [Prediction("b") for _ in queries]

    @classmethod
    def floors(cls, params):
        return (Floor("own.py:Probe", {}, "a probe", "tuning failed", only_as_arm=True),)

class Probe(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ([], []),
        (["own.py:Probe"], ["probe"]),
        ([{"use": "own.py:Probe", "name": "mine"}], ["mine"]),
    ],
)
def test_a_costly_floor_is_one_only_where_it_stands_as_an_arm(tiny, tmp_path, beside, expected):
    task = load_task(tiny(tmp_path, COSTLY, ["own.py:Tuned", *beside]))
    [tuned, *_] = header(task, Setting(), frozenset(), "now").trials
    assert [floor.arm for floor in tuned.floors] == expected


SHIPPED = {
    "cascade": ({}, [("tfidf", {})]),
    "distil": (DISTILLED, [("tfidf", {})]),
    "prompt_search": ({"reflector": "large"}, [("zero_shot", {})]),
    "few_shot": ({}, [("nearest", {"neighbours": [1]})]),
    "rag": ({}, [("retrieve", {})]),
    "rag_lora": ({}, [("retrieve", {})]),
    "encoder": ({"trains": "all"}, [("encoder", {"trains": "head"})]),
    **{
        name: ({}, [("lm_probe", {})])
        for name in registry.names()
        if issubclass(registry.find(name), TunedStrategy)
    },
}


@pytest.mark.parametrize("name", registry.names())
def test_every_shipped_floor_is_there_and_takes_its_parameters(name, tmp_path):
    strategy = registry.find(name)
    given, expected = SHIPPED.get(name, ({}, []))
    needed = strategy.Params.model_fields
    if any(field.is_required() for field in needed.values()):
        pytest.skip("has no floors, and parameters that must be given")
    floors = strategy.floors(strategy.Params(**given))
    assert [floor.strategy for floor in floors] == [use for use, _ in expected]
    for floor, (use, params) in zip(floors, expected, strict=True):
        resolved = registry.resolved_params(registry.find(use), floor.params, tmp_path)
        assert resolved.model_dump() | params == resolved.model_dump()
        assert registry.find(use).floors(resolved) == ()


def test_a_floor_searches_as_its_arm_does():
    rag = registry.find("rag")
    [floor] = rag.floors(rag.Params(hybrid=False))
    assert (floor.params["embedder"], floor.params["hybrid"]) == (rag.Params().embedder, False)
    few_shot = registry.find("few_shot")
    near = few_shot.Params(select="nearest", embedder="some/model")
    assert few_shot.floors(near)[0].params["embedder"] == "some/model"
    assert registry.find("encoder").floors(registry.find("encoder").Params()) == ()
