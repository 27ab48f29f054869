"""What `merge` refuses: each with a remedy, which is followed; nothing is written, nothing lost."""

from __future__ import annotations

import os
import shutil

import pytest
from command_line import harness
from parts import changed
from rule_task import SOURCE, arms
from trying import first, merged, refused

from harness.analysis import analyse
from harness.run.folder_lock import opened
from harness.run.merging.merge import merge
from harness.store.recorded_files import sha256_now
from harness.store.run_folder import RunFolder
from harness.store.search_record import SearchRecord, SearchTrial, write_search

OTHER_ROWS = [{"id": f"test{i}", "text": f"other text {i}", "label": "ab"[i % 2]} for i in range(8)]


def newer(two):
    folder = RunFolder(two.other)
    text = folder.records.read_text().replace('"schema_version":3', '"schema_version":99')
    folder.records.write_text(
        "".join(line.rpartition(',"sha256"')[0] + "}\n" for line in text.splitlines())
    )


def cut_line(two):
    file = RunFolder(two.other).records
    file.write_text(file.read_text()[:-400] + "\n")


def no_truth(two):
    for path in (two.one, two.other):
        RunFolder(path).truth.unlink()


def edited(two):
    folder = RunFolder(two.other)
    changed(folder, task={**folder.last_header().task, "margin": 0.2})


def appended(name):
    def spoil(two):
        with first(two.other, name).open("a") as stream:
            stream.write(" ")

    return spoil


def truth_changed(two):
    RunFolder(two.other).truth.write_text("{}\n")


def anew(**changes):
    """The second run made anew with another task."""

    def spoil(two):
        shutil.rmtree(two.other)
        two.again(**changes)

    return spoil


SPOILT = {
    "other criteria": (anew(limits={"min_score": 0.1}), "other success criteria", "(limits)"),
    "edited criteria": (edited, "changed after they had been sealed", "--out"),
    "another instruction": (anew(instruction="Which?"), "another task", "(instruction)"),
    "other rows": (anew(rows=OTHER_ROWS), "other rows than in", "now ask something else"),
    "damaged answers": (appended("predictions.jsonl"), "is not what was recorded", "--out"),
    "damaged artifact": (appended("answer"), "is not what was recorded", "--out"),
    "damaged record": (cut_line, "cannot be read", "--out"),
    "changed gold": (truth_changed, "truth.jsonl is not what was recorded", "--out"),
    "no run ended": (no_truth, "all runs were killed", "--out"),
}
"""What to do to two folders, and what is said; the remedy is to run a task again."""


@pytest.mark.parametrize("case", SPOILT)
def test_another_run_is_the_remedy(two, case):
    spoil, *words = SPOILT[case]
    spoil(two)
    refused(two, *words)
    if case == "no run ended":
        two.again(two.one, only=["a"])
    else:
        two.again()
    found = merged(two)
    assert found.trials_n == 4


def test_criteria_that_were_changed_and_run_again_are_still_told(two):
    SPOILT["other criteria"][0](two)
    refused(two, "limits")
    two.again()
    told = analyse(merged(two).folder).not_as_sealed
    assert any("limits" in line and "sealed anew" in line for line in told)


def test_noise_of_one_run_alone_is_no_difference_and_of_two_shares_is(two):
    anew(noise=0.3)(two)
    found = merged(two)
    assert found.folder.last_header().task["noise"] == 0.3
    shutil.rmtree(two.out)
    shutil.rmtree(two.one)
    two.again(two.one, only=["a"], noise=0.2)
    refused(two, "other rows to learn from", "(noise)")
    two.again(two.one, only=["a"], noise=0.3)
    merged(two)


def test_another_arm_of_the_same_name_needs_another_name(two):
    anew(arms=arms(a="b", b="b"), only=["a"])(two)
    refused(two, "other arms of the same name", "(a)", "own name")
    shutil.rmtree(two.other)
    two.again(arms=arms(c="b", b="b"), only=["c"])
    assert {record.arm for record in merged(two).folder.trials().values()} == {"a", "c"}


def test_an_arm_that_one_run_left_out_may_be_another_there(two):
    anew(arms=arms(a="b", b="b"), only=["b"])(two)
    found = merged(two)
    assert found.trials_n == 4
    for folders in ((two.one, two.other), (two.other, two.one)):
        shutil.rmtree(two.out)
        header = merged(two, *folders).folder.last_header()
        entries = {arm["name"]: arm["params"]["answer"] for arm in header.task["strategies"]}
        assert entries == {"a": "a", "b": "b"}


def test_seeds_of_an_arm_by_other_code_are_refused(two):
    later = {"own.py": SOURCE.replace("% 3 == 0", "% 3 == 1")}
    anew(only=["a"], seeds=[2, 3], files=later)(two)
    refused(two, f"other code of its arms than in {two.one} (own.py)", "with the other's file")
    two.again(only=["a"], seeds=[2, 3])
    assert merged(two).trials_n == 4
    shutil.rmtree(two.out)
    shutil.rmtree(two.other)
    two.again(only=["b"], files=later)  # of an arm that one ran alone, the code is its own
    assert merged(two).trials_n == 4


def test_a_run_of_another_task_is_left_out(two):
    folder = RunFolder(two.other)
    changed(folder, task={**folder.last_header().task, "name": "poems"})
    refused(two, "runs of the task 'poems'", "of 'tiny'", "leave it out")
    merged(two, two.one)


def test_a_folder_of_a_newer_version_is_left_out(two):
    newer(two)
    refused(two, "schema_version 99", "use the version that wrote it")
    merged(two, two.one)


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.write_text("x")])
def test_what_is_no_run_folder(two, make, tmp_path):
    make(tmp_path / "odd")
    said = refused(two, str(tmp_path / "odd"), folders=[two.one, tmp_path / "odd"])
    assert "name the folder that `python -m harness run` printed" in said
    merged(two)


def test_a_link_out_of_the_folder_is_not_followed(two, tmp_path):
    (tmp_path / "secret").write_text("key")
    answer = first(two.other, "answer")
    kept = answer.read_bytes()
    answer.unlink()
    answer.symlink_to(tmp_path / "secret")
    refused(two, str(answer), "leads out of", "take the link away, or put what it points to")
    answer.unlink()
    answer.write_bytes(kept)
    merged(two)


def test_a_link_to_a_whole_folder_elsewhere_is_not_followed(two, tmp_path):
    trials = two.other / "trials"
    shutil.move(trials, tmp_path / "trials")
    trials.symlink_to(tmp_path / "trials")
    refused(two, "leads out of", "put what it points to in its place")
    trials.unlink()
    shutil.move(tmp_path / "trials", trials)
    merged(two)


def test_a_link_within_the_folder_becomes_what_it_points_to(two):
    answer = first(two.other, "answer")
    kept = answer.read_bytes()
    (two.other / "kept").write_bytes(kept)
    answer.unlink()
    answer.symlink_to(two.other / "kept")
    merged(two)
    copy = two.out / answer.relative_to(two.other)
    assert not copy.is_symlink()
    assert copy.read_bytes() == kept


def test_what_is_neither_file_nor_folder_is_not_opened(two):
    pipe = first(two.other, "answer").with_name("pipe")
    os.mkfifo(pipe)
    refused(two, "is neither file nor folder", "take it out")
    pipe.unlink()
    merged(two)


@pytest.mark.parametrize("name", ["..", "a/../../../b", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(two, name):
    folder = RunFolder(two.other)
    header = folder.last_header()
    plans = tuple(plan.model_copy(update={"arm": name}) for plan in header.trials)
    changed(folder, trials=plans)
    refused(two, "has a name that no run gives", "leave this folder out")
    merged(two, two.one)


def test_a_folder_in_use_is_waited_for(two):
    with opened(two.other, "tiny", fresh=False):
        done = harness("merge", two.one, two.other, "--out", two.out)
    assert done.returncode == 2
    assert f"in use by process {os.getpid()} → wait until it has ended" in done.stderr
    assert not two.out.exists()
    merged(two)


def test_an_arm_that_was_searched_twice_is_run_with_all_seeds_in_one_folder(two, tmp_path):
    shutil.copytree(two.one, tmp_path / "kept")
    _searched(RunFolder(two.one), 1, seeds=[0])
    _searched(RunFolder(two.other), 2, seeds=[1])
    said = refused(two, "x: its parameters were chosen in", "and again in", "so its seeds are two")
    assert f"run all its seeds in one of the two (--only x --out {two.one})" in said
    shutil.rmtree(two.one)
    shutil.move(tmp_path / "kept", two.one)
    _searched(RunFolder(two.one), 1, seeds=[0, 1])
    found = merged(two)
    assert found.conflicts == ()
    [line] = [line for line in found.told if line.startswith("x")]
    assert line == (
        f"x (seed 1) has parameters of another search in {two.other} than in {two.one}: the record"
        f" of {two.one} is kept"
    )


def _searched(folder, number, seeds):
    """Have the trials of some seeds be of an arm called x, with the parameters that it chose."""
    header, plans = folder.last_header(), []
    records = [record for record in folder.trials().values() if record.seed in seeds]
    for record in records:
        here = folder.fit_folder("x", record.fit_id)
        shutil.copytree(folder.fit_folder(record.arm, record.fit_id), here)
        search = SearchRecord(
            family="x",
            sharing=1,
            effort={"trials": 2},
            most_trials=2,
            space={"n": [1, 2]},
            sampler="none",
            trials=(SearchTrial(number=0, by="default", changed={"n": number}),),
            chosen=0,
            ended="trials",
            why="so",
            of_seed=seeds[0],
        )
        write_search(here, search)
        plan = next(one for one in header.trials if one.trial_id == record.trial_id)
        plans.append(plan.model_copy(update={"arm": "x", "params": {}, "code": {}}))
    folder.forget_records()
    folder.append(header.model_copy(update={"trials": tuple(plans)}))
    for record in records:
        file = folder.fit_folder("x", record.fit_id) / "search.json"
        files = {**record.fit.files, "search.json": sha256_now(file)}
        fit = record.fit.model_copy(update={"files": files})
        folder.append(record.model_copy(update={"arm": "x", "fit": fit}))


def test_a_strangers_folder_does_not_become_ones_own(two, tmp_path, monkeypatch):
    mine = merge([two.one], tmp_path / "mine").folder
    assert all(map(mine.is_own, mine.trials()))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    two.again(two.other, only=["b"], seeds=[0, 1, 2])  # now this one is of another user's runs
    folder = merge([two.one, two.other], two.out).folder
    assert not any(map(folder.is_own, folder.trials()))
    done = harness("predict", two.out, "--arm", "a", stdin="text\n")
    assert done.returncode == 2
    assert "--trust" in done.stderr


def test_all_differences_are_told_at_once(two):
    anew(limits={"min_score": 0.1}, instruction="Which?", rows=OTHER_ROWS)(two)
    said = refused(two, "limits", "instruction", "other rows")
    assert len(said.strip().splitlines()) == 3
