"""What changed between two runs: paired, on the rows that both have."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import compare as compared
from harness.analysis import compared_lines
from harness.errors import UserError

TARGETS = ["yes", "no"] * 30


def compare(first, second):
    return list(compared_lines(compared(first, second)))


def runs(tmp_path, first, second, **task):
    one = write_run(tmp_path / "one", TARGETS, first)
    return one, write_run(tmp_path / "two", TARGETS, second, **task)


def test_a_change_is_given_with_its_paired_interval(tmp_path):
    before, after = Arm("a", [right(TARGETS, range(30))]), Arm("a", [right(TARGETS, range(12))])
    lines = compare(*runs(tmp_path, [before], [after]))
    assert "on 60 shared test rows" in lines[0]
    assert lines[1].startswith("a: +30.0 points, 95% interval +")
    assert lines[1].endswith("better")
    assert compare(*reversed(runs(tmp_path / "x", [before], [after])))[1].endswith("worse")


def test_the_same_answers_show_no_change(tmp_path):
    arm = Arm("a", [right(TARGETS, range(30))])
    assert compare(*runs(tmp_path, [arm], [arm]))[1].endswith("no significant change")


def test_an_arm_that_one_run_lacks_is_named(tmp_path):
    both, new = Arm("a", [right(TARGETS)]), Arm("b", [right(TARGETS)])
    lines = compare(*runs(tmp_path, [both], [both, new]))
    assert lines[-1] == "b: did not finish in the first run"


def test_runs_that_share_nothing_are_refused(tmp_path):
    a, b = Arm("a", [right(TARGETS)]), Arm("b", [right(TARGETS)])
    with pytest.raises(UserError, match="no arm finished in both"):
        compare(*runs(tmp_path, [a], [b]))
    one = write_run(tmp_path / "p", TARGETS, [a])
    others = ["no" if target == "yes" else "yes" for target in TARGETS]
    two = write_run(tmp_path / "q", others, [Arm("a", [right(others)])])
    with pytest.raises(UserError, match="no test row in common"):
        compare(one, two)
