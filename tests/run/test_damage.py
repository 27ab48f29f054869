"""Whatever happens to a file of a finished run, no score changes in silence.

Every file is flipped at several places, cut, emptied, deleted, replaced by a folder and by a link;
and a run is killed before each of its writes. Each time a report, and a run over the same folder,
give what they gave before, or name the file.
"""

from __future__ import annotations

import json
import os
import shutil

import pytest
from progress import Silent

from harness.analysis import Comparison
from harness.analysis.damage import CHANGED
from harness.cli.verdict import analysed
from harness.errors import HarnessError
from harness.files.removal import remove
from harness.metrics.custom import find_metric
from harness.run import own_metrics
from harness.run.folder_lock import opened
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.predict_new import answer_with
from harness.run.runner import Runner
from harness.run.site import Site
from harness.stats import bootstrap
from harness.store.run_folder import RunFolder
from harness.task import load_task
from harness.types import Query

OWN = """
from harness import Floor, Prediction, Strategy

class Copies(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Trained(Strategy):
    \"\"\"Learns which digits go with which letter, as tuned weights would.\"\"\"

    needs_train = True
    needs_corpus = True
    learns = "weights"

    @classmethod
    def floors(cls, params):
        return (Floor("own.py:Copies", {}, "saying a", "it learnt nothing"),)

    def fit(self, train, validation, artifact):
        for step in (1, 2, 3):
            self.context.log(step=step, train_loss=3.0 - step, validation_loss=3.0 - step)
        (artifact / "deep").mkdir()
        (artifact / "deep" / "letters").write_text("".join(e.targets[0] for e in train))
        (artifact / "documents").write_text(str(len(self.context.documents)))

    def load(self, artifact):
        self.letters = (artifact / "deep" / "letters").read_text()
        assert (artifact / "documents").read_text() == "2"

    def predict(self, queries):
        return [
            Prediction(self.letters[int(q.text[-1]) % len(self.letters)], prompt=q.text)
            for q in queries
        ]

    def log_likelihood(self, prompts, completions):
        return [-float(len(prompt)) for prompt in prompts]

def half(answer, targets):
    "Half a point for a right letter."
    return 0.5 * (answer in targets)
"""
DOCUMENTS = [{"id": "one", "text": "first words"}, {"id": "two", "text": "second words"}]


class Hears(Silent):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def write(tiny, folder):
    path = tiny(folder, OWN, ["majority", "own.py:Trained"], also=["bits_per_byte", "own.py:half"])
    (folder / "docs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in DOCUMENTS))
    task = json.loads(path.read_text())
    task["data"]["corpus"] = "docs.jsonl"
    path.write_text(json.dumps(task))
    return path


@pytest.fixture(scope="module", autouse=True)
def cheap():
    """A hundred resamples in place of ten thousand, and the metric in this process: no test here is
    about intervals or processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "RESAMPLES", 100)
        patch.setattr(own_metrics, "find_metric_apart", find_metric)
        yield


@pytest.fixture
def counted(record_property):
    """Pass cases on, and say in a test's result how many there were (benchmarks/faults.py)."""

    def each(cases):
        number = 0
        for case in cases:
            yield case
            number += 1
        record_property("cases", number)

    return each


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """A folder with a task and its finished run, whose report is written."""
    folder = tmp_path_factory.mktemp("damage")
    path = write(tiny, folder)
    assert run(path) == []
    report(folder)
    return folder


def run(path):
    """Run a task as a user does; returns what was said, or raises what would be printed."""
    task, progress = load_task(path), Hears()
    with opened(path.parent / "run", task.spec.name, fresh=False) as folder:
        Runner(task, folder, progress, site=Site(InProcessLauncher)).run()
        report(path.parent)
    return progress.said


def report(folder):
    """Write the report as `python -m harness report` does; returns the comparison."""
    return analysed(RunFolder(folder / "run"), None)


def essence(comparison):
    """All of a comparison but what another run of the same measures anew: no times, no cost."""
    return [
        (
            (arm.strategy, arm.status, arm.score, arm.also, arm.floors, arm.failed_items),
            arm.diagnostics.model_copy(update={"wall_s": None}),
        )
        for arm in comparison.arms
    ]


def files_of(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


def flipped(at):
    def harm(file):
        content = bytearray(file.read_bytes())
        if not content:
            return False
        content[int(at * (len(content) - 1))] ^= 0x01
        file.write_bytes(content)
        return True

    return harm


def cut(share):
    def harm(file):
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * share)])
        return bool(content)

    return harm


def cut_at_a_line(file):
    content = file.read_bytes()
    kept = content.rstrip(b"\n").rpartition(b"\n")[0]
    file.write_bytes(kept + b"\n" if kept else b"")
    return True


def replaced_by_a_folder(file):
    file.unlink()
    file.mkdir()
    (file / "inside").write_text("x")
    return True


def replaced_by_a_link(file):
    target = file.parent.parent / f"other-{file.name}"
    target.write_bytes(b"what somebody else wrote\n")
    file.unlink()
    file.symlink_to(target)
    return True


def replaced_by_a_dangling_link(file):
    file.unlink()
    file.symlink_to("nowhere")
    return True


def deleted(file):
    file.unlink()
    return True


HARMS = {
    "flipped at the start": flipped(0),
    "flipped early": flipped(0.2),
    "flipped in the middle": flipped(0.5),
    "flipped late": flipped(0.8),
    "flipped near the end": flipped(0.97),
    "flipped at the end": flipped(1),
    "cut in half": cut(0.5),
    "cut at a line": cut_at_a_line,
    "emptied": cut(0),
    "deleted": deleted,
    "a folder": replaced_by_a_folder,
    "a link": replaced_by_a_link,
    "a dangling link": replaced_by_a_dangling_link,
}
MENDED = (
    "flipped in the middle", "flipped at the end", "cut at a line", "emptied", "deleted",
    "a folder", "a link",
)  # fmt: skip
"""Those after which the run is tried: it costs ten times what a report does."""
QUICK = ("deleted", "flipped in the middle", "emptied", "a link")
LEAST_FILES = {
    "records.jsonl", "records.index.json", "truth.jsonl", "documents.jsonl", "comparison.json",
    "report.md", "report.html", "own_worths.json", "fit.json", "train_log.jsonl", "letters",
    "job.json", "predictions.jsonl", "likelihoods.jsonl", "answers.jsonl", "measured.json",
    "stderr.log",
}  # fmt: skip


def test_the_run_leaves_every_kind_of_file(finished):
    assert {file.name for file in files_of(finished / "run")} >= LEAST_FILES


def names(text, file):
    """Tell whether a text names a file, or what it is a part of and is made anew with."""
    parts = str(file).split("/")
    artifact = "/".join(parts[: parts.index("artifact") + 1]) if "artifact" in parts else str(file)
    return str(file) in text or f"{artifact} " in text


def told(do, *args):
    """Return what a command gave, and what it told instead."""
    try:
        return do(*args), ""
    except HarnessError as problem:
        return None, str(problem)


def damaged(finished, tmp_path, harm):
    """Yield a copy of the finished run for each file, with that file harmed."""
    for number, file in enumerate(files_of(finished / "run")):
        folder = shutil.copytree(finished, tmp_path / str(number))
        if HARMS[harm](folder / "run" / file):
            yield folder, file, f"{harm}: {file}"
        shutil.rmtree(folder)


def those(harms, quick):
    """Return harms as parameters, those but the quick ones marked as slow."""
    return [h if h in quick else pytest.param(h, marks=pytest.mark.slow) for h in harms]


@pytest.mark.parametrize("harm", those(HARMS, QUICK))
def test_a_report_gives_the_same_or_names_the_file(finished, tmp_path, harm, counted):
    before = report(finished).model_dump_json()
    for folder, file, here in counted(damaged(finished, tmp_path, harm)):
        found, problem = told(report, folder)
        if found is None:
            assert names(problem, file), f"{here}: {problem}"
            continue
        same = found.model_dump_json().replace(str(folder), str(finished))
        assert same == before or names(same, file), here


@pytest.mark.parametrize("harm", those(MENDED, QUICK[:1]))
def test_a_run_gives_the_same_and_mends_what_it_can(finished, tmp_path, harm, counted):
    before = essence(report(finished))
    for folder, file, here in counted(damaged(finished, tmp_path, harm)):
        said, problem = told(run, folder / "task.yaml")
        if said is None:
            assert names(problem, file), f"{here}: {problem}"
            assert "take it away" in problem, here
            remove(folder / "run" / file)
            said = run(folder / "task.yaml")
        again = report(folder)
        if file.name == "train_log.jsonl":  # no run can mend it but one that trains again
            assert names(again.model_dump_json(), file), here
        else:
            assert essence(again) == before, f"{here}: {said}"
            assert not any(CHANGED in warning.text for warning in again.warnings), here


@pytest.mark.parametrize("harm", ["flipped in the middle", "emptied", "deleted", "a link"])
def test_new_inputs_are_answered_as_before_or_not_at_all(finished, tmp_path, harm, counted):
    asked = [Query(str(n), f"what of {n}") for n in range(8)]
    before = answer_with(RunFolder(finished / "run"), "trained", asked)
    refused = set()
    for folder, file, here in counted(damaged(finished, tmp_path, harm)):
        found, problem = told(answer_with, RunFolder(folder / "run"), "trained", asked)
        assert found in (None, before), here
        if found is None:
            assert "→ run" in problem or "--trust" in problem, here
            refused.add(file.name)
    assert {"letters", "documents.jsonl", "job.json"} <= refused


class Killed(KeyboardInterrupt):
    """Stands for a death: nothing that is tried afterwards reaches the disk either."""


def killed_at(patch, n):
    """Have the n-th write, and all after it, fail as they would after a death; count them."""
    done = []

    def mortal(name):
        real = getattr(os, name)

        def call(*args, **options):
            done.append(name)
            if n is not None and len(done) >= n:
                raise Killed
            return real(*args, **options)

        patch.setattr(os, name, call)

    for name in ("replace", "fsync"):
        mortal(name)
    return done


SLICES = 6


@pytest.fixture(scope="module")
def writes(tiny, tmp_path_factory):
    """How many writes a whole run and its report are."""
    with pytest.MonkeyPatch.context() as patch:
        done = killed_at(patch, None)
        run(write(tiny, tmp_path_factory.mktemp("whole")))
    assert len(done) > 40
    return len(done)


@pytest.mark.parametrize("part", those(range(SLICES), [0]))
def test_a_run_that_is_killed_before_any_write_goes_on_to_the_same_comparison(
    finished, writes, tiny, tmp_path, part, counted
):
    expected = essence(report(finished))
    for n in counted(range(1 + part, writes + 1, SLICES)):
        folder = tmp_path / str(n)
        path = write(tiny, folder)
        with pytest.MonkeyPatch.context() as patch:
            killed_at(patch, n)
            with pytest.raises(Killed):
                run(path)
        left = {p.name for p in (folder / "run").glob("report.*")}
        if left:  # a report that is there says what the comparison beside it says
            assert (folder / "run" / "comparison.json").is_file(), n
        run(path)
        kept = json.loads((folder / "run" / "comparison.json").read_text())
        assert essence(Comparison.model_validate(kept)) == expected, n
        shutil.rmtree(folder)
