"""A merge that is killed or interrupted, at any moment: nothing of it is taken for a run.

In a process of its own: what a process leaves that is given no time to tidy up is only found where
one is killed. Moments are drawn by what the merge asks of the system, not by the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from parts import tree

DRIVER = """
import json, os, random, shutil, signal, sys
from pathlib import Path

from harness.files.temporary_folder import remove_left
from harness.run.merging.merge import merge
from parts import tree

*sources, out = map(Path, sys.argv[3:])
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts us may ignore it
kind, draws = getattr(signal, sys.argv[1]), int(sys.argv[2])
TOUCHES = ("open", "os", "shutil", "tempfile")


def child(end):
    "Merge in a fork of this process; return whether a signal ended it, and what it asked for."
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        asked = 0

        def hook(event, given):
            nonlocal asked
            if event.split(".")[0] in TOUCHES:
                asked += 1
                if asked == end:
                    os.kill(os.getpid(), kind)

        sys.addaudithook(hook)
        code = 0
        try:
            merge(sources, out)
        except KeyboardInterrupt:
            code = 130
        os.write(writing, str(asked).encode())
        os._exit(code)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading) as stream:
        said = stream.read()
    return os.waitstatus_to_exitcode(status) != 0, int(said or 0)


merge(sources, out)  # so that no later one has to import or hash what this one has
shutil.rmtree(out)
_, asked = child(0)
whole, before = tree(out), list(map(tree, sources))
shutil.rmtree(out)
draw = random.Random(0)
moments = [*draw.sample(range(1, asked), draws), *range(asked - 8, asked + 1)]
found = []
for moment in moments:
    ended, _ = child(moment)
    there = out.exists()
    beside = len(list(out.parent.glob("harness-*")))
    found.append({"ended": ended, "there": there, "beside": beside})
    assert not there or tree(out) == whole, moment
    assert list(map(tree, sources)) == before, moment
    again = merge(sources, out)
    assert again.was_there == there, moment
    assert tree(out) == whole, moment
    remove_left(out.parent)
    assert list(out.parent.glob("harness-*")) == [], moment
    shutil.rmtree(out)
print(json.dumps(found))
"""


@pytest.mark.parametrize(("signal", "draws"), [("SIGKILL", 20), ("SIGINT", 10)])
def test_nothing_half_written_is_taken_for_a_merged_run(two, signal, draws):
    before = [tree(two.one), tree(two.other)]
    words = [sys.executable, "-c", DRIVER, signal, str(draws), two.one, two.other, two.out]
    path = ":".join(sys.path)
    done = subprocess.run(
        list(map(str, words)), env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # Where a merge had less to ask for than the first one had, the last moments never came.
    assert sum(one["ended"] for one in found) >= draws * 3 // 4
    assert [tree(two.one), tree(two.other)] == before
    if signal == "SIGKILL":  # or the moments are none in which something is half written
        assert any(one["beside"] and not one["there"] for one in found)
