"""Where a merged folder goes: refused where something else is, and laid down whole or not at all.

What a killed merge leaves is in test_killed.py.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from command_line import harness
from parts import tree
from trying import first, merged, refused

from harness.run import folder_lock
from harness.run.merging import contents, writing
from harness.run.merging.merge import merge
from harness.store.run_folder import RunFolder


def test_an_out_that_is_one_of_the_folders_or_around_one(two):
    refused(two, "is one of the folders to merge", "another --out", out=two.one)
    refused(two, "lies in", "another --out", out=two.one / "sub")
    refused(two, "lies in --out", "another --out", out=two.one.parent)
    merged(two)


def test_an_out_that_holds_something_else(two):
    two.out.write_text("a note")
    refused(two, "is not a folder", "choose another --out")
    two.out.unlink()
    two.out.mkdir()
    (two.out / "note").write_text("a note")
    refused(two, "holds other files (note, …)", "choose another --out")
    (two.out / "note").unlink()
    merged(two)  # an empty folder is as good as none


def test_an_out_that_holds_another_run(two):
    merged(two)
    two.again(two.out, only=(), seeds=[0, 1, 2])
    held = tree(two.out)
    said = refused(two, "holds another run", "choose another --out")
    assert f"name {two.out} among the folders to merge" in said
    beside = two.out.with_name("beside")
    found = merge([two.one, two.other, two.out], beside)
    assert found.trials_n == 6
    assert tree(two.out) == held


def test_an_out_whose_files_were_damaged_is_not_taken_for_whole(two):
    merged(two)
    with first(two.out, "predictions.jsonl").open("a") as stream:
        stream.write(" ")
    refused(two, "was changed since it was merged", f"take {two.out} away")
    shutil.rmtree(two.out)
    merged(two)


@pytest.mark.parametrize("name", ["truth.jsonl", "splits.json", "fit.json"])
def test_an_out_that_lacks_a_file_is_not_taken_for_whole(two, name):
    merged(two)
    next(two.out.rglob(name)).unlink()
    refused(two, f"{name} is gone", f"take {two.out} away")
    shutil.rmtree(two.out)
    merged(two)


def test_an_out_that_lies_behind_a_link(two):
    lone, place = two.out.with_name("lone"), two.out.with_name("place")
    lone.symlink_to(two.one)
    refused(two, "is one of the folders to merge", "another --out", out=lone)
    refused(two, "lies in", "another --out", out=lone / "sub")
    place.mkdir()
    two.out.symlink_to(place)
    merged(two)
    assert two.out.is_symlink()
    assert RunFolder(place).trials()


def full(*_):
    """What the system says of a copy to a full disk: it names the file that was read first."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "read", None, "written")


def test_a_full_disk_is_that_of_the_new_folder(two, monkeypatch):
    monkeypatch.setattr(shutil, "copyfile", full)
    said = refused(two, "No space left on device", "or choose another --out; nothing was written")
    assert said.startswith(f"error: {two.out.parent}: ")
    assert "TMPDIR" not in said
    monkeypatch.undo()
    merged(two)


def test_a_place_where_nothing_can_be_written(two):
    two.out.write_text("a note")
    said = refused(two, "cannot be written", "choose another --out", out=two.out / "sub")
    assert "another process" not in said
    two.out.unlink()
    merged(two)


def test_a_file_that_cannot_be_read_is_named(two, monkeypatch):
    answers = first(two.other, "predictions.jsonl")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, *how: path != answers and real(path, *how))
    refused(two, str(answers), "cannot be read", "have it made readable for you")
    monkeypatch.undo()
    merged(two)


def test_a_folder_that_cannot_be_written_to_is_merged(two, monkeypatch):
    """Nothing in it is opened for writing: not even its lock."""
    real, opened = os.access, []

    def access(path, how):
        inside = two.other in Path(path).parents
        return not (how & os.W_OK and inside) and real(path, how)

    monkeypatch.setattr(os, "access", access)
    monkeypatch.setattr(
        "harness.run.folder_lock._acquire", lambda lock, file: opened.append(file.parent)
    )
    merged(two)
    assert opened == [two.one]


def test_of_two_merges_at_once_the_second_finds_the_work_done(two, monkeypatch):
    real = writing.flush_to_disk

    def meanwhile(path):
        monkeypatch.setattr(writing, "flush_to_disk", real)
        shutil.copytree(path, two.out)
        real(path)

    monkeypatch.setattr(writing, "flush_to_disk", meanwhile)
    done = harness("merge", two.one, two.other, "--out", two.out)
    assert done.returncode == 2
    assert f"--out {two.out} was made by another process meanwhile → merge again" in done.stderr
    held = tree(two.out)
    assert merge([two.one, two.other], two.out).was_there
    assert tree(two.out) == held


def test_a_merge_keeps_another_waiting_that_reads_the_same_folder(two, monkeypatch):
    """The lock names who ran there last, and that is over: nobody is sent to wait for it."""
    monkeypatch.setattr(folder_lock, "END_S", 0.01)
    RunFolder(two.one).lock.write_text("process 4194305")  # above the most that Linux gives
    with folder_lock.undisturbed(two.one):
        refused(two, f"{two.one} is in use by another process → wait until it has ended")
    merged(two)


def test_a_file_that_changes_while_it_is_copied_is_refused(two, monkeypatch):
    copied = contents.copied

    def changing(place, to, *more):
        copied(place, to, *more)
        for path in to.rglob("predictions.jsonl"):
            path.write_text("{}")

    monkeypatch.setattr(contents, "copied", changing)
    refused(two, "was changed in a folder while it was copied → merge again")
    monkeypatch.undo()
    merged(two)


def test_whoever_interrupts_is_told_that_nothing_is_lost(two, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "lay_down", interrupted)
    done = harness("merge", two.one, two.other, "--out", two.out)
    assert done.returncode == 130
    assert "the folders to merge are as they were → run the same command again" in done.stderr
    assert sorted(path.name for path in two.out.parent.iterdir()) == ["runs"]
    monkeypatch.undo()
    merged(two)
