"""What travels arrives whole or not at all."""

from __future__ import annotations

import os
import tarfile
from pathlib import PurePosixPath

import pytest

from harness.run.launchers.parcel import STAGING, laid_down, packed, stamps, unpacked

HERE = PurePosixPath("job")


def filled(root):
    (root / "job/artifact/empty").mkdir(parents=True)
    (root / "job/artifact/weights").write_bytes(bytes(range(256)))
    (root / "job/a ü.txt").write_text("text")
    return root


def files(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def parcel_of(root):
    return packed({name: root / name for name in stamps(root, [HERE])})


def test_what_is_packed_is_what_is_unpacked_with_empty_folders(tmp_path):
    unpacked(parcel_of(filled(tmp_path / "here")), tmp_path / "there")
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert (tmp_path / "there/job/artifact/empty").is_dir()


def test_stamps_tell_what_was_written_and_what_is_gone(tmp_path):
    root = filled(tmp_path)
    before = stamps(root, [HERE])
    assert stamps(root, [HERE]) == before
    (root / "job/artifact/weights").write_bytes(bytes(256))
    (root / "job/a ü.txt").unlink()
    (root / "job/new").write_text("")
    after = stamps(root, [HERE])
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"job/artifact/weights", "job/new"}
    assert set(before) - set(after) == {"job/a ü.txt"}


def test_what_arrives_lies_over_what_was_there_and_what_is_gone_goes(tmp_path):
    home = filled(tmp_path / "home")
    (home / "other").write_text("not of the job")
    parcel = packed({"job/artifact/weights": b"new", "job/artifact/empty/more": b"more"})
    laid_down(parcel, ["job/a ü.txt", "job/never"], home, HERE)
    assert files(home) == {
        "job/artifact/weights": b"new",
        "job/artifact/empty/more": b"more",
        "other": b"not of the job",
    }


def test_a_parcel_that_is_cut_short_leaves_everything_as_it_was(tmp_path):
    home = filled(tmp_path / "home")
    before = files(home)
    whole = packed({"job/artifact/weights": bytes(100_000), "job/late": bytes(100_000)})
    for length in (0, 700, 100_900, len(whole) // 2):
        with pytest.raises(tarfile.TarError):
            laid_down(whole[:length], ["job/a ü.txt"], home, HERE)
        assert files(home) == before
        assert not (home / "job" / STAGING).exists()


def test_nothing_is_laid_outside_the_root(tmp_path):
    for name in ("../out", "job/../../out"):
        with pytest.raises(tarfile.TarError):
            laid_down(packed({name: b"x"}), [], tmp_path / "home", HERE)
    assert not (tmp_path / "out").exists()


def test_links_that_stay_travel_and_others_and_pipes_do_not(tmp_path):
    root = filled(tmp_path / "here")
    (root / "job/inside").symlink_to("artifact/weights")
    (root / "job/away").symlink_to("/etc/passwd")
    (root / "job/up").symlink_to("../other")
    os.mkfifo(root / "job/pipe")
    unpacked(parcel_of(root), tmp_path / "there")
    there = {path.name for path in (tmp_path / "there/job").iterdir()}
    assert there == {"artifact", "a ü.txt", "inside"}
    assert os.readlink(tmp_path / "there/job/inside") == "artifact/weights"
