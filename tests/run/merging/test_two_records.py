"""A trial that two folders hold: which record counts, and what is said of it."""

from __future__ import annotations

import pytest
from command_line import harness
from hand_made import MACHINE, Arm, right, write_run
from parts import changed

from harness.analysis import analyse
from harness.run.merging.merge import merge
from harness.run.trial import damaged_files
from harness.store.run_folder import RunFolder

TARGETS = ["yes", "no"] * 10
OTHER = MACHINE.model_copy(update={"cpu_model": "Slate 4"})
"""Two machines of two classes; hand-made headers name the first."""


def run(path, *arms):
    return write_run(path, TARGETS, arms).path


def cheap(**facts):
    return Arm("cheap", [right(TARGETS)], **facts)


def good(wrong=(), **facts):
    return Arm("good", [right(TARGETS, wrong)], **facts)


FAILED = Arm("good", status="failed", error="no room\nat all")


def test_the_same_answers_twice_keep_the_figures_of_the_first(tmp_path):
    one = run(tmp_path / "one", cheap(), good(fit_s=1))
    two = run(tmp_path / "two", cheap(), good(fit_s=2, machine=OTHER))
    found = merge([one, two], tmp_path / "out")
    [line] = [line for line in found.told if line.startswith("good")]
    assert f"good (seed 0) was measured in {one} and in {two}, with the same answers" in line
    assert "the figures of" in line
    assert "Abacus 2 with 2 cores" in line
    assert found.conflicts == ()
    kept = next(record for record in found.folder.trials().values() if record.arm == "good")
    assert kept.fit.measurements[0].wall_s == 1


def test_a_copy_of_a_record_is_no_second_measurement(tmp_path):
    one = run(tmp_path / "one", cheap(), good())
    two = run(tmp_path / "two", cheap(), good())
    [line] = merge([one, two], tmp_path / "out").told
    assert line == "note: 2 records stand in several folders, as copies"


@pytest.fixture
def differing(tmp_path):
    one = run(tmp_path / "one", cheap(), good())
    return one, run(tmp_path / "two", cheap(), good([3, 4], machine=OTHER)), tmp_path / "out"


def test_two_answers_are_told_and_those_of_the_first_count(differing):
    one, two, out = differing
    done = harness("merge", one, two, "--out", out)
    assert done.returncode == 3
    [line] = [line for line in done.stderr.splitlines() if line.startswith("conflict")]
    assert f"good (seed 0) has two answers to 2 of 20 test rows, in {one} and in {two}" in line
    assert f"those of {one} (Abacus 2 with 2 cores, " in line
    assert f"those of {two} (Slate 4 with 2 cores, " in line
    done = harness("merge", two, one, "--out", out.with_name("turned"))
    assert done.returncode == 3
    scores = [
        analyse(folder).arms[1].score.value
        for folder in map(RunFolder, (out, out.with_name("turned")))
    ]
    assert scores == [1.0, 0.9]


def test_the_report_says_that_there_are_two_answers_until_others_count(differing, tmp_path):
    one, two, out = differing
    merged = merge([one, two], out).folder
    [warning] = [w for w in analyse(merged).warnings if "two answers" in w.text]
    assert warning.arms == ("good",)
    assert "Slate 4" in warning.text
    again = merge([out, one, two], tmp_path / "again")
    assert len(again.conflicts) == 1, "said once, however often it is found"
    assert again.folder.records.read_bytes() == merged.records.read_bytes()
    turned = merge([two, out], tmp_path / "turned")
    [warning] = [w for w in analyse(turned.folder).warnings if "two answers" in w.text]
    assert "those of Slate 4 with 2 cores" in warning.text.split("count")[0]


def test_what_ended_ok_counts_before_what_failed(tmp_path):
    one = run(tmp_path / "one", cheap(), FAILED)
    two = run(tmp_path / "two", cheap(), good())
    found = merge([one, two], tmp_path / "out")
    [line] = [line for line in found.told if line.startswith("good")]
    assert line == (
        f"good (seed 0) ended ok in {two} and failed in {one} (no room at all): the record of {two}"
        " is kept"
    )
    assert found.conflicts == ()
    assert analyse(found.folder).arms[1].status == "ok"


def test_what_failed_twice_is_a_row(tmp_path):
    one = run(tmp_path / "one", cheap(), FAILED)
    two = run(tmp_path / "two", cheap(), Arm("good", status="timeout", error="too slow"))
    found = merge([one, two], tmp_path / "out")
    assert any("failed in" in line and "too slow" in line for line in found.told)
    arm = analyse(found.folder).arms[1]
    assert (arm.status, arm.error) == ("failed", "no room\nat all")


def test_other_versions_are_a_note(tmp_path):
    one = run(tmp_path / "one", cheap())
    two = write_run(tmp_path / "two", TARGETS, [good()])
    changed(two, packages={"numpy": "3"})
    [line] = merge([one, two.path], tmp_path / "out").told
    assert line == f"note: {one} and {two.path} ran with numpy 2 and 3"


def test_what_is_merged_is_whole(differing):
    one, two, out = differing
    merged = merge([one, two], out).folder
    for record in merged.trials().values():
        assert list(damaged_files(merged, record)) == []
