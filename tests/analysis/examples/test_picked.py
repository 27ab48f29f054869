"""Twelve rows are picked by rule: what the rules find, in which order, and never twice."""

from __future__ import annotations

from math import log

from hand_made import Arm, right, write_run

from harness.analysis.analyse import analysis_of
from harness.analysis.examples.picked import picked
from harness.analysis.examples.row_table import row_table
from harness.analysis.read_run import read_run
from harness.analysis.schema.scores import Score, SliceScore
from harness.types import Prediction

N = 60
TARGETS = ["yes", "no"] * (N // 2)
TUNED = {"tunes": True}


def sure(labels, probabilities):
    return [
        Prediction(label, {label: log(p)}) for label, p in zip(labels, probabilities, strict=True)
    ]


def picks(folder, arms, choice, worst=None, targets=TARGETS, **more):
    return picked(row_table(read_run(write_run(folder, targets, arms, **more))), choice, worst)


def by_rule(found):
    rules = {}
    for pick in found:
        rules.setdefault(pick.rule, []).append(pick.row)
    return rules


def test_two_of_each_rule_come_first(tmp_path):
    cheap = right(TARGETS, [0, 1, 2, 3, 10, 11, 12])
    tuned = right(TARGETS, [0, 1, 4, 5, 6])
    tuned[20] = Prediction("", error="no luck")
    worst = SliceScore(
        column="channel",
        value="form",
        score=Score(metric="accuracy", value=0.1, ci_low=0, ci_high=1, n=10),
    )
    slices = [{"channel": "form" if n >= 10 else "mail"} for n in range(N)]
    arms = [Arm("cheap", [cheap]), Arm("tuned", [tuned], plan=TUNED)]
    found = by_rule(picks(tmp_path, arms, "cheap", worst, truth={"slices": slices}))
    assert found == {
        "tuned right, cheap wrong": [2, 3],
        "cheap right, tuned wrong": [4, 5, 6],
        "every arm wrong": [0, 1],
        "cheap takes yes for no (4 rows)": [10],
        "cheap takes no for yes (3 rows)": [11],
        "an answer failed": [20],
        "worst slice of cheap: channel is form": [12],
    }


def test_there_are_twelve_at_the_most_and_none_twice(tmp_path):
    arms = [
        Arm("cheap", [right(TARGETS, range(30))]),
        Arm("tuned", [right(TARGETS, range(15, 60))], plan=TUNED),
    ]
    found = picks(tmp_path, arms, "cheap")
    assert len(found) == len({pick.row for pick in found}) == 12


def test_the_surest_error_comes_first(tmp_path):
    cheap = sure(right(TARGETS, [3, 7, 9]), [0.99 if n == 7 else 0.6 for n in range(N)])
    arms = [Arm("cheap", [cheap]), Arm("tuned", [right(TARGETS, [3, 7, 9])], plan=TUNED)]
    found = picks(tmp_path, arms, "cheap")
    assert next(pick.row for pick in found if pick.rule == "every arm wrong, and sure") == 7


def test_a_chosen_tuned_arm_is_set_against_the_best_of_the_others(tmp_path):
    arms = [
        Arm("bad", [right(TARGETS, range(40))]),
        Arm("good", [right(TARGETS, range(5))]),
        Arm("tuned", [right(TARGETS)], plan=TUNED),
        Arm("tuned2", [right(TARGETS, [0])], plan=TUNED),
    ]
    rules = by_rule(picks(tmp_path, arms, "tuned"))
    assert "tuned right, good wrong" in rules


def test_a_graded_metric_puts_the_largest_lead_first(tmp_path):
    targets = ["w x y z"] * 4
    arms = [
        Arm("cheap", [["w x y z", "w", "w x y", "w x y z"]]),
        Arm("tuned", [["w x y z"] * 4], plan=TUNED),
    ]
    text = {"answer": {"kind": "text"}, "metric": "token_f1"}
    found = by_rule(picks(tmp_path, arms, "cheap", targets=targets, **text))
    assert found["tuned ahead, cheap behind"] == [1, 2]


def test_the_largest_confusions_give_a_row_each(tmp_path):
    targets = ["a"] * 6 + ["b"] * 4 + ["c"] * 2
    answers = ["b"] * 3 + ["a"] * 3 + ["c"] * 2 + ["b"] * 2 + ["c", "c"]
    labels = {"answer": {"kind": "choice", "labels": ["a", "b", "c"]}}
    arms = [Arm("one", [answers]), Arm("two", [targets])]
    found = picks(tmp_path, arms, "one", targets=targets, **labels)
    assert [pick for pick in found if "takes" in pick.rule] == [
        (2, "one takes a for b (3 rows)"),  # 0 and 1: two is right, one wrong
        (6, "one takes b for c (2 rows)"),
    ]


def test_one_arm_no_arm_and_no_error_are_no_fault(tmp_path):
    assert picks(tmp_path / "1", [Arm("one", [right(TARGETS)])], "one") == []
    assert picks(tmp_path / "2", [Arm("one", status="failed", error="x")], None) == []


def test_the_same_records_give_the_same_picks(tmp_path):
    arms = [
        Arm("cheap", [right(TARGETS, range(9))]),
        Arm("tuned", [right(TARGETS, [3])], plan=TUNED),
    ]
    folder = write_run(tmp_path, TARGETS, arms)
    first, second = (analysis_of(folder).comparison().examples for _ in range(2))
    assert first == second
    assert len(first.picked) == 9
