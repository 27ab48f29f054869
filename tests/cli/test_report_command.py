"""`report`: conclusions drawn anew from records."""

from __future__ import annotations

import shutil

import pytest
from command_line import harness, harness_process, rows_of, write_task

pytestmark = pytest.mark.process  # the shared run is one


def test_a_report_needs_neither_task_nor_data_nor_strategy(tmp_path):
    path, out = write_task(tmp_path / "task", ["majority", "own.py:Echo"]), tmp_path / "run"
    assert harness("run", path, "--out", out).returncode == 0
    before = {name: (out / name).read_bytes() for name in ("comparison.json", "report.md")}
    for name in (*before, "report.html"):
        (out / name).unlink()
    shutil.rmtree(tmp_path / "task")
    done = harness_process("report", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (out / name).read_bytes() for name in before} == before
    assert (out / "report.html").is_file()


def test_a_report_with_other_prices_changes_conclusions_and_no_records(finished, tmp_path):
    row = "{name: any, usd_per_hour: 9, source: an invoice, read_on: 2026-01-01, stands_for: {}}"
    (tmp_path / "prices.yaml").write_text(f"machines:\n  - {row}\n")
    records = {p: p.read_bytes() for p in finished.rglob("*.jsonl")}
    assert rows_of(finished)["echo"]["usd_per_1k_busy"] is None
    done = harness("report", finished, "--prices", tmp_path / "prices.yaml")
    assert done.returncode == 0, done.stderr
    assert rows_of(finished)["echo"]["usd_per_1k_busy"] > 0
    assert {p: p.read_bytes() for p in finished.rglob("*.jsonl")} == records


def test_a_report_says_on_the_screen_which_prices_are_old_today(finished, tmp_path):
    row = "{name: any, usd_per_hour: 9, source: an invoice, read_on: 2019-01-01, stands_for: {}}"
    (tmp_path / "prices.yaml").write_text(f"machines:\n  - {row}\n")
    done = harness("report", finished, "--prices", tmp_path / "prices.yaml")
    assert done.returncode == 0, done.stderr
    assert (
        "- the price of any was read on 2019-01-01, more than a year ago: read an invoice again and"
        " `report --prices` with what it says\n"
    ) in done.stdout


@pytest.mark.parametrize("command", ["report", "predict"])
def test_a_folder_without_a_run_is_told_so(tmp_path, command):
    done = harness(command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()
