"""Where things are kept: which folder, made once and whole, readable by whom, and why not."""

from __future__ import annotations

import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.errors import CacheError
from harness.files import cache_folder as cache
from harness.files.kept_files import LIST
from harness.files.user_path import has_home, user_path


@pytest.fixture
def homeless(monkeypatch):
    for name in ("HARNESS_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", os.fspath)


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A cache folder that a whole group may read, and a user who keeps what he makes to himself."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    before = os.umask(0o077)
    yield folder
    os.umask(before)


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HARNESS_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
        ({"HARNESS_CACHE": "~/b", "HOME": "/h"}, "/h/b"),
        ({"HARNESS_CACHE": "", "XDG_CACHE_HOME": "/c"}, "/c/harness"),
        ({"XDG_CACHE_HOME": "c", "HOME": "/h"}, "/h/.cache/harness"),  # as its specification says
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/harness"),
    ],
)
def test_the_folder_follows_the_variables(monkeypatch, variables, folder):
    for name in ("HARNESS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache.cache_folder()) == folder


def test_a_relative_folder_is_one_whatever_the_working_directory_becomes(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", "kept")
    monkeypatch.chdir(tmp_path)
    assert cache.cache_folder() == tmp_path / "kept"


def test_without_a_home_the_remedy_is_named(homeless):
    with pytest.raises(CacheError, match=r"no home folder .* → set HARNESS_CACHE to a folder"):
        cache.cache_folder()
    assert not has_home()
    assert str(user_path("~/model")) == "~/model"


def filled(content="all"):
    def make(work):
        done = work / "done"
        (done / "below").mkdir(parents=True)
        (done / "below" / "weights").write_text(content)
        (done / "below" / "weights").chmod(0o600)
        return done

    return make


def test_what_is_kept_is_made_once(shared):
    folder = cache.kept_folder("models", "m", filled())
    assert cache.kept_folder("models", "m", lambda work: pytest.fail("again")) == folder
    assert sorted(path.name for path in (shared / "models").iterdir()) == ["m", "m.lock"]


def test_who_may_read_the_folder_may_read_what_is_kept_there(shared):
    folder = cache.kept_folder("models", "m", filled())
    modes = {
        path.name: oct(path.stat().st_mode & 0o777)
        for path in (shared / "models", folder, folder / "below", folder / "below" / "weights")
    }
    assert modes == {"models": "0o755", "m": "0o755", "below": "0o755", "weights": "0o644"}


def test_who_may_write_to_the_folder_may_keep_things_there(shared):
    shared.chmod(0o775)
    cache.kept_folder("models", "m", filled())
    assert oct((shared / "models").stat().st_mode & 0o777) == "0o775"
    assert oct((shared / "models/m.lock").stat().st_mode & 0o777) == "0o664"


def test_a_private_folder_keeps_things_private(shared):
    shared.chmod(0o700)
    folder = cache.kept_folder("models", "m", filled())
    assert oct((folder / "below" / "weights").stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_disk_that_fills_up_is_said_with_the_remedy_and_leaves_nothing(shared, problem):
    def make(work):
        (work / "half").write_text("half")
        raise problem

    with pytest.raises(CacheError, match=r"m cannot be kept: .* → set HARNESS_CACHE"):
        cache.kept_folder("models", "m", make)
    assert [path.name for path in (shared / "models").iterdir()] == ["m.lock"]
    assert cache.kept_folder("models", "m", filled()).is_dir()


@pytest.mark.parametrize("problem", [ValueError("a bug"), OSError("not a model"), KeyError("x")])
def test_what_is_no_refusal_stays_what_it_is(shared, problem):
    def make(work):
        raise problem

    with pytest.raises(type(problem)) as raised:
        cache.kept_folder("models", "m", make)
    assert raised.value is problem


@pytest.mark.parametrize("place", ["/proc/none/here", "{tmp}/file/here"])
def test_a_folder_that_cannot_be_made_is_said_with_the_remedy(tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HARNESS_CACHE", place.format(tmp=tmp_path))
    with pytest.raises(CacheError, match="→ set HARNESS_CACHE to a folder that you may write to"):
        cache.kept_folder("models", "m", filled())


def test_what_a_killed_process_left_is_swept_away(shared):
    cache.kept_folder("models", "m", filled())
    shutil.rmtree(shared / "models/m")
    (shared / "models/.m-killed").mkdir()
    cache.kept_folder("models", "m", filled())
    assert not (shared / "models/.m-killed").exists()


def test_what_is_damaged_is_made_again(shared):
    folder = cache.kept_folder("models", "m", filled("all"))
    weights = folder / "below" / "weights"
    for damage, hashes in (
        (weights.unlink, False),
        (lambda: weights.write_text("al"), False),
        (lambda: weights.write_text("alL"), True),
        (lambda: (folder / LIST).write_text("{"), False),
        (lambda: (folder / LIST).write_text("[1]"), False),
    ):
        damage()
        assert cache.kept_folder("models", "m", filled("all"), hashes=hashes) == folder
        assert weights.read_text() == "all"
        assert cache.is_kept("models", "m")
    assert sorted(path.name for path in (shared / "models").iterdir()) == ["m", "m.lock"]


def test_contents_are_looked_at_only_where_it_is_asked_for(shared):
    folder = cache.kept_folder("models", "m", filled("all"))
    (folder / "below" / "weights").write_text("alL")
    assert cache.kept_folder("models", "m", filled("all")) == folder
    assert (folder / "below" / "weights").read_text() == "alL"


def test_a_folder_of_an_earlier_version_is_taken_as_it_is(shared):
    folder = cache.kept_folder("models", "m", filled("all"))
    (folder / LIST).unlink()
    (folder / "below" / "weights").write_text("older")
    unmade = cache.kept_folder("models", "m", lambda work: pytest.fail("again"), hashes=True)
    assert (unmade / "below" / "weights").read_text() == "older"


def test_a_damaged_folder_whose_making_fails_is_not_read_by_others(shared):
    folder = cache.kept_folder("models", "m", filled("all"))
    (folder / "below" / "weights").unlink()

    def make(work):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CacheError):
        cache.kept_folder("models", "m", make)
    assert not folder.exists()


def test_processes_that_ask_at_the_same_time_make_it_once(shared):
    """Threads stand for processes: each has a lock of its own, as each process would."""
    made = []

    def make(work):
        made.append(work)
        time.sleep(0.2)
        return filled("all")(work)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cache.kept_folder("models", "m", make), range(8)))
    assert len(set(found)) == len(made) == 1
    assert (found[0] / "below" / "weights").read_text() == "all"


@pytest.mark.parametrize(("mode", "kept"), [(0o755, "0o644"), (0o750, "0o640"), (0o700, "0o600")])
def test_a_small_file_is_for_all_who_may_read_around_it(shared, mode, kept):
    shared.chmod(mode)
    cache.keep_text("verdicts", "v.json", "{}")
    file = shared / "verdicts" / "v.json"
    assert (file.read_text(), oct(file.stat().st_mode & 0o777)) == ("{}", kept)
    assert list(file.parent.iterdir()) == [file]
