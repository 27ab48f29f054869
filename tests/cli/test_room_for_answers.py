"""Targets that do not fit are told by `check`, `plan` and `run`, before anything is asked."""

from __future__ import annotations

import json

import pytest
from command_line import harness, rows_of, write_task
from scripted_server import Script, reply, serving

pytestmark = pytest.mark.torch  # a forecast measures what this machine can do
FREE = {"answer": {"kind": "text"}, "metric": "token_f1"}
NEED = "16 of 16 training targets and 20 of 20 test targets need more than the 1 tokens"


@pytest.fixture
def task(tmp_path, monkeypatch):
    """A task that asks a server, which answers in more words than an answer may have."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with serving(Script(default=reply("it will rain", finish="length"))) as script:
        model = {"provider": "openai", "base_url": script.url, "model": "far", "key_env": None}
        arms = ["majority", {"use": "zero_shot", "model": model}]
        yield write_task(tmp_path / "task", arms, **FREE, generation={"max_new_tokens": 1})


def test_check_says_it(task):
    done = harness("check", task)
    assert (done.returncode, NEED in done.stdout) == (0, True)


def test_plan_says_it_below_its_tables_and_as_json(task):
    assert NEED in harness("plan", task).stdout
    found = json.loads(harness("plan", task, "--json").stdout)
    assert any(NEED in remark for remark in found["remarks"])
    assert found["refused"] == {}


def test_run_says_it_first_and_the_report_counts_what_was_cut(task, tmp_path):
    done = harness("run", task, "--out", tmp_path / "run")
    assert done.stdout.index(NEED) < done.stdout.index("zero_shot: done")
    assert "Severe warning: zero_shot: 20 of 20 answers were cut" in done.stdout
    assert rows_of(tmp_path / "run")["zero_shot"]["answers"]["cut"] == 20
    assert "1 tokens (max_new_tokens of the task)" in (tmp_path / "run/report.html").read_text()


def test_a_rerun_keeps_the_room_that_was_found(task, tmp_path):
    spec = json.loads(task.read_text())
    del spec["generation"]
    task.write_text(json.dumps(spec))
    for _ in range(2):
        assert harness("run", task, "--out", tmp_path / "run").returncode == 0
    lines = map(json.loads, (tmp_path / "run/records.jsonl").read_text().splitlines())
    first, second = (line["answer_room"] for line in lines if line["kind"] == "header")
    assert first == second
    [room] = first.values()
    assert (room["max_new_tokens"], room["estimated"]) == (64, True)
