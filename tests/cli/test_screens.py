"""Every screen that a person sees, drawn at 60, 80 and 120 columns: whole, and wrapped at words."""

from __future__ import annotations

import json
import re
from io import StringIO
from types import SimpleNamespace

import pytest
from command_line import harness, write_task
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, right, write_run
from rich.console import Console

from harness.analysis import analyse
from harness.cli import terminal
from harness.cli.hyperlinks import has_links
from harness.cli.pace import Pace
from harness.cli.terminal import Screen
from harness.store.machine import Hardware, Machine
from harness.store.records import TrialRecord, WorkerResult
from reports.next_step import NextStep, next_step

WIDTHS = (60, 80, 120)
ARMS = (
    Arm("few_shot_nearest_8", [right(TARGETS, range(60))], complexity=2, predict_s=30),
    Arm("good", [right(TARGETS, [119])], complexity=3, fit_s=100, predict_s=12),
    Arm("broken", status="out_of_memory", error="no room " + "and a long reason why " * 6),
)


@pytest.fixture
def drawn(monkeypatch):
    """Have screens drawn as on a terminal of a width; returns what they showed."""

    def draw(width, show, **environment):
        out = StringIO()
        real = Console
        monkeypatch.setattr(
            terminal,
            "Console",
            lambda **more: real(
                file=out, width=width, force_terminal=True, color_system="standard", **more
            ),
        )
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        show()
        return out.getvalue()

    return draw


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def whole_lines(text, width):
    lines = plain(text).splitlines()
    lines = [line for line in lines if not line.startswith("  python -m ")]  # it can be copied
    assert max(map(len, lines)) <= width, [line for line in lines if len(line) > width]
    return lines


@pytest.mark.parametrize("width", WIDTHS)
def test_the_end_of_a_run_is_whole_and_wrapped_between_words(drawn, tmp_path, width):
    comparison = analyse(
        write_run(tmp_path, TARGETS, ARMS, prices=PRICES, margin=0.05, traffic=TRAFFIC)
    )
    text = drawn(width, lambda: Screen().show(comparison))
    lines = whole_lines(text, width)
    words = " ".join(" ".join(lines).split())
    for said in (comparison.recommendation.headline, *comparison.recommendation.reasons):
        assert " ".join(said.split()) in words
    assert " ".join(ARMS[2].error.split()) in words
    assert "…" not in words
    (bold,) = [line for line in text.splitlines() if "\x1b[1m" in line and "> good" in line]
    assert plain(bold).split()[:3] == [">", "good", "chosen"]
    bullets = [line for line in lines if line.startswith("- ")]
    assert bullets
    assert all(line.startswith(("- ", "  ")) for line in lines[lines.index(bullets[-1]) :])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan_is_whole(drawn, tmp_path, width):
    path = write_task(tmp_path / "task", ["majority", "tfidf", "own.py:Echo"])
    text = drawn(width, lambda: harness("plan", path))
    whole_lines(text, width)
    words = " ".join(plain(text).split())
    assert words.startswith("On this machine, where ")
    assert "until the verdict" in words
    assert "echo (time unknown)" in words
    assert words.endswith(f"python -m harness run {path}") or len(str(path)) > width


def test_each_arm_ends_with_a_line_and_its_score_and_the_verdict_with_the_next_command(tmp_path):
    path = write_task(tmp_path / "task", ["majority", "own.py:Echo", "own.py:Broken"])
    out = tmp_path / "run"
    done = harness("run", path, "--out", out)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    found = json.loads((out / "comparison.json").read_text())
    scores = {row["strategy"]: row["score"]["value"] for row in found["rows"] if row["score"]}
    for arm, score in scores.items():
        (line,) = [line for line in lines if line.startswith(f"{arm}: done")]
        assert line.endswith(f", accuracy {score:.3f}")
    (line,) = [line for line in lines if line.startswith("broken: failed")]
    assert "accuracy" not in line
    place = lines.index("Next: Answer new inputs with echo:")
    assert lines[place + 1] == f"  python -m harness predict {out} inputs.jsonl"
    again = harness("run", path, "--out", out).stdout
    assert "echo: done before, nothing it depends on has changed, accuracy 1.000" in again


def test_the_report_is_a_link_where_the_terminal_has_them(drawn, tmp_path):
    name = tmp_path / "a b\x1b"
    for term, linked in (("xterm-kitty", True), ("xterm-256color", False)):
        text = drawn(
            80,
            lambda: Screen().report(name / "report.html", name / "report.md"),
            TERM=term,
            FORCE_HYPERLINK="1" if linked else "0",
        )
        assert ("\x1b]8;" in text) == linked
        assert ("a%20b%1B/report.html" in text) == linked
        assert "a b\\x1b" in text


@pytest.mark.parametrize(
    ("environment", "linked"),
    [
        ({}, False),
        ({"TERM": "dumb", "TERM_PROGRAM": "vscode"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4800"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-kitty", "CI": "true"}, False),
        ({"TERM": "xterm", "WT_SESSION": "1"}, True),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_terminals_with_links_are_known_by_their_names(environment, linked):
    assert has_links(environment) is linked


def test_a_trial_that_another_machine_did_names_it(drawn):
    machine = Machine(cpu_model="x", cores=1, memory_bytes=1, os="Linux", python="3")
    on = [Hardware(machine=machine, device="cpu", dtype="float32", node=n) for n in ("a1", "b2")]
    fit, serve = (WorkerResult(status="ok", hardware=one) for one in on)
    record = TrialRecord(
        fit_id="f", trial_id="t", arm="tfidf", strategy="tfidf", params={}, seed=0, status="ok",
        fit=fit, serve=serve, finished_at="2026-11-30T00:00:00+00:00",
    )  # fmt: skip
    assert "tfidf: done, no time on a1 and b2" in drawn(80, lambda: Screen().end(record, False))


@pytest.mark.parametrize("width", WIDTHS)
def test_progress_takes_one_line(drawn, width):
    class Trial:
        trial_id, arm, seed, rows = "0", "a_very_long_name_of_an_arm", 2, None

    def show():
        screen = Screen()
        screen.pace = Pace(best=("tfidf", 0.69))
        screen.start(Trial(), 3, 12, "serve")
        screen.close()

    lines = [line for line in plain(drawn(width, show)).splitlines() if "[3/12]" in line]
    assert lines
    assert all(len(line.strip("\r")) <= width for line in lines)


def test_a_running_trial_names_its_node_until_it_has_another(drawn):
    trial = SimpleNamespace(trial_id="0", arm="lora", seed=0, rows=None)
    shown = []

    def show():
        screen = Screen()
        for node in ("10.0.0.1", "10.0.0.2"):
            screen.start(trial, 1, 2, "fit", node)
            shown.append(screen._status.status.plain)
        screen.close()

    drawn(80, show)
    assert [text.split(",")[0] for text in shown] == [
        "[1/2] lora: preparing on 10.0.0.1",
        "[1/2] lora: preparing on 10.0.0.2",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_trials_that_are_run_at_once_take_a_line_each_until_they_wait(drawn, width):
    first = SimpleNamespace(trial_id="0", arm="lora", seed=0, rows=None)
    second = SimpleNamespace(trial_id="1", arm="lora", seed=1, rows=None)

    shown = []

    def show():
        screen = Screen()
        screen.start(first, 1, 2, "fit")
        screen.start(second, 2, 2, "fit")
        shown.append(screen._status.status.plain.splitlines())
        screen.pause(first)
        screen.tick()
        shown.append(screen._status.status.plain.splitlines())
        screen.close()

    drawn(width, show)
    (whole, one, other), (left,) = shown
    assert "2 trials at once" in whole
    assert one.startswith("[1/2] lora: preparing")
    assert other.startswith("[2/2] lora (seed 1): preparing")
    assert left.startswith("[2/2] lora (seed 1)")  # on a narrow screen what is left goes first
    assert max(map(len, (whole, one, other, left))) <= width


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "Answer new inputs with good"),
        ({"verdict": "not_enough_evidence"}, "Add test rows, then run again"),
        (
            {"choice": None, "verdict": "nothing_feasible"},
            "Change a limit, or add an arm that may meet it",
        ),
    ],
)
def test_the_next_command_acts_on_the_verdict(tmp_path, change, why):
    found = analyse(write_run(tmp_path, TARGETS, ARMS, prices=PRICES, margin=0.05))
    changed = found.recommendation.model_copy(update=change)
    comparison = found.model_copy(update={"recommendation": changed})
    step = next_step(comparison, tmp_path / "a run", tmp_path / "task.yaml")
    assert step.text.startswith(why)
    assert step.command.startswith("python -m harness ")
    assert "'" in step.command or "a run" not in step.command  # it can be pasted


def test_arms_that_quick_left_out_come_next(tmp_path):
    left_out = Arm("late", selected=False, error="left out by --quick")
    comparison = analyse(write_run(tmp_path, TARGETS, (*ARMS, left_out), prices=PRICES))
    step = next_step(comparison, tmp_path, tmp_path / "task.yaml")
    assert step == NextStep(
        "Run the arms that were left out", f"python -m harness run {tmp_path}/task.yaml"
    )
    assert next_step(comparison).text == step.text  # on the page too
