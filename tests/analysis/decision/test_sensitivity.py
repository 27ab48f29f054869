"""A flip that is applied gives the choice that it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import PRICES, Arm, right, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis import analyse
from harness.analysis.cost.cost import usd_per_1k
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.decision import flips as in_words
from harness.analysis.decision.inputs import Inputs
from harness.analysis.decision.requirements import Measured, limit_checks
from harness.analysis.decision.sensitivity import attempts
from harness.analysis.recorded_task import Limits
from harness.analysis.schema.comparison import ArmResult
from harness.analysis.schema.scores import Score
from harness.prices import Prices
from harness.stats.mcb import MultipleComparisons

TARGETS = ["yes", "no"] * 60
TRAFFIC = {"requests_per_month": 1000, "months": 10, "serving": "busy"}


def flips(inputs, found):
    return [in_words.flip(one) for _, tried in attempts(inputs, found) for one in tried]


def applied(path, arms, prices, task, flip):
    """Analyse a run again in which a flip holds."""
    part, _, name = flip.key.partition(".")
    if part == "machine":
        rows = [{**PRICES["machines"][0], name: flip.value}]
        return analyse(write_run(path, TARGETS, arms, prices=prices, **task), Prices(machines=rows))
    if part == "margin":
        task = {**task, "margin": flip.value}
    else:
        task = {**task, part: {**task.get(part, {}), name: flip.value}}
    return analyse(write_run(path, TARGETS, arms, prices=prices, **task))


def slow_and_quick():
    slow = Arm("slow", [right(TARGETS, [3])], complexity=0, predict_s=120, walls_s=[0.4] * 9)
    quick = Arm("quick", [right(TARGETS)], complexity=3, fit_s=9000, predict_s=12)
    poor = Arm("poor", [right(TARGETS, range(40))], complexity=0, predict_s=1, fit_s=0)
    return [slow, quick, poor]


@pytest.mark.parametrize("serving", ["busy", "reserved"])
def test_each_flip_of_a_run_holds_when_the_run_is_analysed_so(tmp_path, serving):
    task = {
        "traffic": {**TRAFFIC, "serving": serving, "utilisation": 0.3},
        "limits": {"max_p95_ms": 1000, "min_score": 0.7, "max_serve_memory_gib": 1},
        "labour": {"usd_per_label": 0.01},
        "margin": 0.05,
    }
    found = analyse(write_run(tmp_path / "0", TARGETS, slow_and_quick(), prices=PRICES, **task))
    choice = found.recommendation.choice
    kinds = set()
    for number, flip in enumerate(found.recommendation.flips):
        if flip.value is None or flip.key.startswith("score."):
            continue
        again = applied(tmp_path / f"{number + 1}", slow_and_quick(), PRICES, task, flip)
        assert again.recommendation.choice == flip.choice != choice, flip
        kinds.add(flip.key)
    assert {"limits.max_p95_ms", "traffic.requests_per_month", "margin"} <= kinds


def test_with_no_feasible_arm_the_flips_say_which_limit_would_do(tmp_path):
    limits = {"max_p95_ms": 1}
    folder = write_run(tmp_path, TARGETS, slow_and_quick(), limits=limits)
    found = analyse(folder).recommendation
    assert found.choice is None
    (flip,) = [flip for flip in found.flips if flip.key == "limits.max_p95_ms"]
    assert flip.choice is not None
    assert flip.value == 185  # what quick and poor have, between the last two of four requests
    assert flip.text == "quick would be chosen with limits.max_p95_ms at 185."


def test_a_borderline_limit_is_named_where_it_would_change_the_choice_alone(tmp_path):
    good, near = right(TARGETS, range(12)), right(TARGETS, range(18, 48))
    arms = [Arm("good", [good]), Arm("near", [near])]  # 0.90 and 0.75, with a floor of 0.87
    found = analyse(write_run(tmp_path, TARGETS, arms, limits={"min_score": 0.87})).recommendation
    (flip,) = [flip for flip in found.flips if flip.value is None]
    assert flip.change.startswith("good: score 0.900 (at least 0.870 required) is within")
    assert (flip.key, flip.choice) == ("limits.min_score", None)


def test_quality_says_by_how_many_points_another_arm_falls_short(tmp_path):
    good, poor = right(TARGETS, range(12)), right(TARGETS, range(60))
    arms = [Arm("good", [good]), Arm("poor", [poor], fit_s=9)]
    folder = write_run(tmp_path, TARGETS, arms, traffic=TRAFFIC, margin=0.02)
    flip = next(f for f in analyse(folder).recommendation.flips if f.key == "score.poor")
    assert flip.choice == "poor"
    assert flip.change == f"poor scoring {100 * flip.value:.1f} points more"
    assert f"if it gained {100 * flip.value:.1f} points (0.500 → " in flip.text
    assert 0.4 < flip.value <= 0.5  # it lacks forty points, and must be shown to lead


def test_the_limit_on_money_moves_with_the_volume_of_a_reserved_machine(tmp_path):
    arm = Arm("a", [right(TARGETS)], predict_s=12)  # $2,628 a month, for whatever is asked
    traffic = {**TRAFFIC, "serving": "reserved", "utilisation": 0.3}
    task = {"traffic": traffic, "limits": {"max_usd_per_1k": 2628 / 2}}
    found = analyse(write_run(tmp_path / "0", TARGETS, [arm], prices=PRICES, **task)).recommendation
    assert found.choice is None
    flip = next(f for f in found.flips if f.key == "traffic.requests_per_month")
    assert 2000 < flip.value <= 2010
    again = applied(tmp_path / "1", [arm], PRICES, task, flip)
    assert again.recommendation.choice == flip.choice == "a"


NEEDS = {"knowledge_updates_per_month": 0, "model_changes_per_year": 0}
NAMES = ("a", "b", "c", "d")


def hosted(model, usd):
    """Return what a usage has of an arm that a hosted model answers."""
    charged = {"usd_per_request": usd, "fit_charged_usd": 100 * usd}
    return {"elsewhere": True, "charged_by": model, **charged}


@st.composite
def decision_inputs(draw):
    """Three or four arms with scores, latencies, fits and speeds of any kind."""
    names = NAMES[: draw(st.integers(3, 4))]
    score = st.integers(50, 99).map(lambda n: n / 100)
    scores = [draw(score) for _ in names]
    noise = np.random.default_rng(draw(st.integers(0, 9))).normal(size=(len(names), 400))
    spread = draw(st.sampled_from([0.002, 0.01, 0.03]))
    comparisons = MultipleComparisons(
        names, np.array(scores), np.array(scores)[:, None] + spread * noise, n=1000
    )
    rows, usages = [], {}
    limits = Limits(
        max_p95_ms=draw(st.sampled_from([None, 100.0, 250.0])),
        max_usd_per_1k=draw(st.sampled_from([None, 0.05, 1.0])),
    )
    traffic = {"requests_per_month": 10_000.0, "months": 12.0, "utilisation": 0.3}
    traffic["serving"] = draw(st.sampled_from(["busy", "reserved"]))
    labour = {
        "usd_per_label": draw(st.sampled_from([None, 0.1])),
        "usd_per_hour": None,
        "hours": {},
    }
    terms = Terms(draw(st.sampled_from([None, 0.36, 3.6])), traffic, NEEDS, labour)
    for name, value in zip(names, scores, strict=True):
        usages[name] = Usage(
            name,
            fit_s=draw(st.floats(0, 1e5)),
            throughput_per_s=draw(st.floats(0.1, 1e3)),
            labels_n=draw(st.sampled_from([0, 500])),
            needs_model=False,
            learns="weights",
            **draw(st.sampled_from([{}, hosted("far", 0.001), hosted("near.by", 0.01)])),
        )
        p95_s = draw(st.floats(0.01, 1.0))
        spent = usd_per_1k(usages[name], terms)
        taken = Measured((value, None, None), (p95_s,) * 3, usd_per_1k=spent)
        checks = limit_checks(limits, taken)
        rows.append(
            ArmResult(
                strategy=name,
                status="ok",
                use="x",
                params={},
                complexity=draw(st.integers(0, 5)),
                score=Score(metric="accuracy", value=value, ci_low=None, ci_high=None, n=1000),
                p95_s=p95_s,
                checks=tuple(checks),
            )
        )
    margin = draw(st.sampled_from([0.0, 0.02, 0.1]))
    return Inputs(tuple(rows), usages, frozenset(), terms, limits, margin, comparisons)


def changed(inputs, flip):
    part, _, name = flip.key.partition(".")
    if part == "margin":
        return replace(inputs, margin=flip.value)
    named = {
        "limits": inputs.with_limit,
        "score": inputs.with_raised,
        "charge": inputs.with_charges,
    }
    if part in named:
        return named[part](name, flip.value)
    if part == "traffic":
        return replace(inputs, terms=inputs.terms.at_volume(flip.value))
    if part == "machine":
        return replace(inputs, terms=replace(inputs.terms, usd_per_hour=flip.value))
    labour = {**inputs.terms.labour, name: flip.value}
    return replace(inputs, terms=replace(inputs.terms, labour=labour))


@settings(max_examples=60)
@given(decision_inputs())
def test_a_flip_applied_gives_the_choice_that_it_names(inputs):
    found = inputs.verdict()
    told = flips(inputs, found)
    for flip in told:
        assert flip.value is not None
        assert changed(inputs, flip).verdict().choice == flip.choice != found.choice, flip
    kinds = [flip.key for flip in told]
    assert all(kinds.count(kind) <= 2 for kind in kinds)  # the nearest on either side


@settings(max_examples=30)
@given(decision_inputs(), st.data())
def test_no_nearer_volume_that_was_not_named_changes_the_choice_under_busy_time(inputs, data):
    traffic = {**inputs.terms.traffic, "serving": "busy"}
    inputs = replace(inputs, terms=replace(inputs.terms, traffic=traffic))
    found, now = inputs.verdict(), traffic["requests_per_month"]
    edges = [f.value for f in flips(inputs, found) if f.key == "traffic.requests_per_month"]
    low = max((edge for edge in edges if edge < now), default=1.0)
    high = min((edge for edge in edges if edge > now), default=now * 100)
    # A flip is told at the third digit: nearer than that the edge itself lies.
    low, high = low * 1.011, high * 0.989
    if low < high:
        at = data.draw(st.floats(low, high))
        assert replace(inputs, terms=inputs.terms.at_volume(at)).verdict().choice == found.choice


def test_a_volume_of_more_machines_than_are_looked_at_one_by_one_is_found_too():
    # On 150 machines' worth of fitting the second arm answers twice as much with a machine.
    usages = {
        "plain": Usage("plain", 0, 1, labels_n=0, needs_model=False, learns="nothing"),
        "quick": Usage("quick", 150 * 7_884_000, 2, 0, needs_model=False, learns="weights"),
    }
    traffic = {"requests_per_month": 1e7, "months": 3.0, "utilisation": 0.3, "serving": "reserved"}
    terms = Terms(3.6, traffic, NEEDS, {"usd_per_label": None, "usd_per_hour": None, "hours": {}})
    rows = [
        ArmResult(
            strategy=name,
            status="ok",
            use="x",
            params={},
            complexity=complexity,
            score=Score(metric="accuracy", value=0.9, ci_low=None, ci_high=None, n=1000),
        )
        for complexity, name in enumerate(usages)
    ]
    comparisons = MultipleComparisons(
        tuple(usages), np.full(2, 0.9), np.full((2, 400), 0.9), n=1000
    )
    inputs = Inputs(tuple(rows), usages, frozenset(), terms, Limits(), 0.05, comparisons)
    found = inputs.verdict()
    assert found.choice == "plain"
    (flip,) = [f for f in flips(inputs, found) if f.key == "traffic.requests_per_month"]
    assert flip.choice == changed(inputs, flip).verdict().choice == "quick"
    # 1.05 × (150 + n / 2) machines of one answer a second cost as much as n.
    assert flip.value == pytest.approx(1.05 * 150 / (1 - 1.05 / 2) * 788_400, rel=0.02)
