"""The tutorial: its check and its run are done as its reader does them.

In this process. `match` is left out of the run: its embedder takes most of its time.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import harness, rows_of

pytestmark = pytest.mark.torch  # a run asks torch for a GPU
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tutorial.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("tutorial")
    (found / "routing").mkdir()
    shutil.copy(DOCS / "tutorial" / "messages.csv", found / "routing")
    task = re.search(r"```yaml\n(name: .*?)```", PAGE, re.S)[1]
    (found / "routing" / "task.yaml").write_text(task)
    return found


def shown(command: str) -> str:
    """What the page shows below a command."""
    found = re.search(rf"```sh\n{re.escape(command)}\n```\n\n```text\n(.*?)```", PAGE, re.S)
    return found[1]


def test_check_prints_what_the_page_shows(folder):
    done = harness("check", "routing/task.yaml", cwd=folder)
    assert done.returncode == 0
    assert (done.stdout + done.stderr).strip().splitlines() == shown(
        "python -m harness check routing/task.yaml"
    ).strip().splitlines()


def test_run_finds_what_the_page_shows(folder):
    done = harness("run", "routing/task.yaml", "--only", "majority", "tfidf", cwd=folder)
    assert done.returncode == 0, done.stderr
    told = shown("python -m harness run routing/task.yaml")
    for name, row in rows_of(folder / "runs" / "routing").items():
        if row["status"] == "ok":
            score = row["score"]
            figures = (score["value"], score["ci_low"], score["ci_high"])
            words = r" +\S.* +{:.3f} +{:.3f} to {:.3f}".format(*figures)
            assert re.search(rf"{name}{words}", told), (name, figures)
    found = json.loads((folder / "runs" / "routing" / "comparison.json").read_text())
    assert found["recommendation"]["headline"] in told
