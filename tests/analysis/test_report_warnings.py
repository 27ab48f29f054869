"""The warnings of the first screen: their order, where they stand, and what earlier files say."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from hand_made import TARGETS, cheap_and_good, write_run
from rich.console import Console

from harness.analysis import Comparison, ReportWarning, analyse, report_warnings
from harness.cli.terminal import Screen
from reports import html
from reports import whole_markdown as markdown


def warned(path, monkeypatch, *severities):
    """Return a comparison with a warning of each severity, numbered in the order of the kinds."""

    def kind(number, severity):
        return lambda run, arms, found: iter(
            [ReportWarning(severity=severity, text=f"doubt {number}", arms=("good",))]
        )

    kinds = tuple(kind(number, severity) for number, severity in enumerate(severities))
    monkeypatch.setattr(report_warnings, "KINDS", kinds)
    return analyse(write_run(path, TARGETS, cheap_and_good()))


def on_screen(comparison):
    screen = Screen()
    screen.console = Console(file=StringIO(), width=200, color_system=None)
    screen.show(comparison)
    return screen.console.file.getvalue()


def test_the_severe_ones_come_first_and_equals_keep_the_order_of_their_kinds(tmp_path, monkeypatch):
    found = warned(tmp_path, monkeypatch, "warning", "severe", "warning", "severe")
    assert [one.text for one in found.warnings] == ["doubt 1", "doubt 3", "doubt 0", "doubt 2"]


@pytest.mark.parametrize("render", [html, markdown, on_screen])
def test_three_stand_below_the_verdict_and_the_others_are_counted(render, tmp_path, monkeypatch):
    text = render(warned(tmp_path, monkeypatch, *["warning"] * 5))
    first = text[text.index("Choose good") :].split("All arms")[0]
    assert [f"doubt {n}" in first for n in range(5)] == [True, True, True, False, False]
    assert "and 2 more" in first


@pytest.mark.parametrize("render", [html, markdown])
def test_all_of_them_stand_under_warnings_and_notes(render, tmp_path, monkeypatch):
    text = render(warned(tmp_path, monkeypatch, *["warning"] * 5))
    below = text[text.rindex("Warnings and notes") :]
    assert all(f"doubt {n}" in below for n in range(5))


@pytest.mark.parametrize("render", [html, markdown, on_screen])
def test_where_nothing_is_doubtful_nothing_is_said_of_it(render, tmp_path, monkeypatch):
    text = render(warned(tmp_path, monkeypatch))
    assert "arning:" not in text
    assert '<section class="warnings' not in text


def test_a_comparison_of_an_earlier_version_reads_with_none(tmp_path, monkeypatch):
    written = json.loads(warned(tmp_path, monkeypatch, "severe").model_dump_json())
    assert written["warnings"][0]["severity"] == "severe"
    del written["warnings"]
    assert Comparison.model_validate(written).warnings == ()
