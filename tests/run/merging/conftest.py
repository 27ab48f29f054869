"""One small task, run as a whole or in parts, each in this process."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest
from rule_task import SOURCE, arms

SEEDS, SIZES = [0, 1, 2, 3], [4, 6, 8]
OFF = {"robustness": False, "floors": False}
"""Asked of the first seed of each run: parts with other seeds have more of them than the whole."""


@pytest.fixture(scope="session")
def run_part(tiny, run_tiny, tmp_path_factory):
    """Run a part of the task, as a machine of its own would: with its own task file."""
    folder = tmp_path_factory.mktemp("task")

    def run(  # noqa: PLR0917 - all but the first are named
        out, seeds=SEEDS, sizes=SIZES, only=(), machine="Slate 4", rows=None, files=None, **changes
    ):
        curve = {"sizes": sizes, "repeats": 2} if sizes else None
        task = {"seeds": seeds, "curve": curve, "diagnostics": OFF, **changes}
        path = tiny(folder, SOURCE, task.pop("arms", arms(a="a", b="b")), **task)
        if rows is not None:
            (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.machine.describe._cpu_model", lambda: machine)
            return run_tiny(path, out, only=only)[0]

    return run


@pytest.fixture(scope="session")
def whole(run_part, tmp_path_factory):
    return run_part(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="session")
def halves(run_part, tmp_path_factory):
    """Two runs with two seeds and no curve: of the arm a on one machine, of b on another."""
    folder = tmp_path_factory.mktemp("halves")
    run_part(folder / "one", seeds=[0, 1], sizes=(), only=["a"])
    run_part(folder / "two", seeds=[0, 1], sizes=(), only=["b"], machine="Abacus 64")
    return folder


@pytest.fixture
def two(halves, run_part, tmp_path):
    """A copy of both, to be changed at will, and `again`, which runs the second once more."""
    shutil.copytree(halves, tmp_path / "runs")
    one, other = tmp_path / "runs" / "one", tmp_path / "runs" / "two"

    def again(out=other, only=("b",), **changes):
        machine = "Abacus 64" if out == other else "Slate 4"
        given = {"seeds": [0, 1], "sizes": (), "only": only, "machine": machine, **changes}
        return run_part(out, **given)

    return SimpleNamespace(one=one, other=other, out=tmp_path / "merged", again=again)
