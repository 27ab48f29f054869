"""Folders that are made empty, by several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from harness.files.removal import emptied


def test_a_folder_is_empty_whatever_stood_there_or_above_it(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("in the way")
    assert list(emptied(tmp_path / "a" / "b" / "c", tmp_path).iterdir()) == []
    (tmp_path / "a" / "b" / "c" / "old").write_text("x")
    assert list(emptied(tmp_path / "a" / "b" / "c", tmp_path).iterdir()) == []


def test_several_make_folders_below_the_same_one_at_once(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        for n in range(100):
            folders = [tmp_path / str(n) / "arm" / str(m) for m in range(4)]
            list(threads.map(lambda folder: emptied(folder, tmp_path), folders))
            assert all(folder.is_dir() for folder in folders)
