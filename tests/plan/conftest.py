"""What the tests of `plan` share."""

from __future__ import annotations

import json

import pytest
from planned_task import write

from benchmarks.configs import write_config
from harness.cli.commands import run_command


@pytest.fixture
def planned(tmp_path, capsys):
    """Plans arms with a model that is a config.json alone; returns what --json printed."""

    def plan(arms, name="llama-3-8b", **changes):
        write_config(tmp_path / "model", name)
        path = write(tmp_path, arms, model="./model", run={"memory_gib": 20}, **changes)
        assert run_command(["plan", str(path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["strategies"]
        return {row["strategy"]: row for row in found}

    return plan
