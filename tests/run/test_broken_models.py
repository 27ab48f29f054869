"""What `run` makes of folders that are no whole model: rows, and the other arms run."""

from __future__ import annotations

import json

import pytest
from command_line import harness, rows_of, write_task
from model_folders import BROKEN, write_broken

# A run foresees what its arms take.
pytestmark = pytest.mark.torch
KINDS = list(BROKEN)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def test_run_turns_arms_of_broken_models_into_rows_and_runs_the_others(tmp_path):
    """One run of all kinds: each costs a row, and none is loaded."""
    names = {kind: f"./model{number}" for number, kind in enumerate(KINDS)}
    arms = [
        {"use": "zero_shot", "name": f"arm{number}", "model": f"./model{number}"}
        for number in range(len(KINDS))
    ]
    path = write_task(tmp_path, ["majority", *arms])
    for kind, name in names.items():
        write_broken(tmp_path / name, kind)
    told = harness("run", path, "--out", tmp_path / "run")
    assert told.returncode in {0, 1}, told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    rows = rows_of(tmp_path / "run")
    assert rows["majority"]["status"] == "ok"
    lines = (tmp_path / "run" / "records.jsonl").read_text().splitlines()
    errors = {line["arm"]: line["error"] for line in map(json.loads, lines) if line.get("arm")}
    for number, kind in enumerate(KINDS):
        assert rows[f"arm{number}"]["status"] == "failed"
        reason, remedy = BROKEN[kind][1], BROKEN[kind][2]
        expected = remedy.replace("./model", names[kind])
        assert reason in errors[f"arm{number}"], kind
        assert expected in errors[f"arm{number}"], kind
