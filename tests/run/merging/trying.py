"""Merges two folders as a user does, and sees that what is refused changes nothing."""

from __future__ import annotations

from command_line import harness
from parts import tree

from harness.analysis import analyse
from harness.run.merging.merge import merge


def first(folder, name):
    """A file that a trial of a run folder has."""
    return sorted(folder.glob(f"trials/**/{name}"))[0]


def refused(two, *words, folders=None, out=None):
    """Merge, see that all of it is as it was, and return what was said."""
    out = out or two.out
    before = [tree(two.one), tree(two.other), tree(out) if out.is_dir() else out.exists()]
    done = harness("merge", *(folders or (two.one, two.other)), "--out", out)
    assert done.returncode == 2, done.stderr
    after = [tree(two.one), tree(two.other), tree(out) if out.is_dir() else out.exists()]
    assert after == before
    assert [path.name for path in two.out.parent.glob("harness-*")] == []
    for word in ("→", *words):
        assert word in done.stderr
    return done.stderr


def merged(two, *folders):
    found = merge(folders or [two.one, two.other], two.out)
    assert analyse(found.folder).arms
    return found
