"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import threading

import pytest

from harness.files.atomic import atomic_file, atomic_write


def test_a_file_is_made_and_replaced(tmp_path):
    for text in ("one", "zwei ä"):
        atomic_write(tmp_path / "a.json", text)
        assert (tmp_path / "a.json").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, problem):
    atomic_write(tmp_path / "a.json", "old")

    def write_half():
        with atomic_file(tmp_path / "a.json") as part:
            part.write_text("half")
            assert (tmp_path / "a.json").read_text() == "old"
            raise problem

    with pytest.raises(problem):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path, monkeypatch):
    atomic_write(tmp_path / "a.json", "old")

    def full(place):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_content_and_name_are_on_disk_in_this_order(tmp_path, monkeypatch):
    seen = []
    real = os.fsync

    def note(place):
        name = os.path.basename(os.readlink(f"/proc/self/fd/{place}"))
        seen.append((name == tmp_path.name, (tmp_path / "a.json").exists()))
        real(place)

    monkeypatch.setattr(os, "fsync", note)
    atomic_write(tmp_path / "a.json", "x")
    assert seen == [(False, False), (True, True)]


def test_what_need_not_last_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda place: pytest.fail("waited"))
    atomic_write(tmp_path / "a.json", "x", durable=False)
    assert (tmp_path / "a.json").read_text() == "x"


def test_readers_never_meet_a_part_while_several_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda place: None)  # not a matter of the disk
    path = tmp_path / "a.json"
    whole = {letter * 20_000 for letter in "abc"}
    atomic_write(path, "a" * 20_000)
    writers = [
        threading.Thread(target=lambda t=text: [atomic_write(path, t) for _ in range(20)])
        for text in whole
    ]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(path.read_text())
    for writer in writers:
        writer.join()
    assert seen <= whole
    assert len(list(tmp_path.iterdir())) == 1
