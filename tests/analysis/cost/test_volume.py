"""Where the cheaper of two arms changes with volume, and the curve of total cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.analysis.cost import volume
from harness.analysis.cost.components import MONTH_S
from harness.analysis.cost.cost import costs_of
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.cost.volume import break_evens, curve

NEEDS = {"knowledge_updates_per_month": 0, "model_changes_per_year": 0}
LABOUR = {"usd_per_label": None, "usd_per_hour": None, "hours": {}}
ARM = Usage("a", 0, 1, labels_n=0, needs_model=True, learns="nothing")
HOSTED = replace(ARM, arm="hosted", elsewhere=True, usd_per_request=0.001)


def terms(usd_per_hour=3.6, monthly=1000.0, serving="busy", months=1):
    traffic = {"requests_per_month": monthly, "months": months, "serving": serving}
    return Terms(usd_per_hour, traffic | {"utilisation": 0.5}, NEEDS, LABOUR)


def changes(first, second, given_terms):
    return volume.changes(costs_of(first, given_terms), costs_of(second, given_terms))


def test_busy_lines_cross_where_the_formula_says():
    slow = replace(ARM, arm="slow", throughput_per_s=1)
    quick = replace(ARM, arm="quick", throughput_per_s=10, fit_s=900)
    assert changes(slow, quick, terms()) == [(0.0, "slow"), (pytest.approx(1000), "quick")]
    (pair,) = break_evens([slow, quick], terms(monthly=2000, months=2))
    assert pair.requests == pytest.approx(1000)
    assert pair.crossings == (pytest.approx(500),)
    assert pair.text == "below 1,000 requests over the horizon slow is cheaper, above it quick"


def test_a_reserved_machine_meets_charged_requests_where_its_month_is_paid():
    own = replace(ARM, arm="own", throughput_per_s=10)  # up to 13,140,000 requests a month
    found = changes(own, HOSTED, terms(serving="reserved"))
    assert found == [(0.0, "hosted"), (pytest.approx(MONTH_S * 0.001 / 0.001), "own")]


def test_whole_machines_cross_at_the_steps():
    capacity = MONTH_S / 2
    slow = replace(ARM, arm="slow", throughput_per_s=1)
    quick = replace(ARM, arm="quick", throughput_per_s=2.5, fit_s=900)
    found = changes(slow, quick, terms(serving="reserved", monthly=capacity))
    assert found == [(0.0, "slow"), (capacity, "quick")]  # a second machine costs more than a fit
    (pair,) = break_evens([slow, quick], terms(serving="reserved", monthly=5 * capacity))
    assert pair.text == ("by requests a month, slow is cheaper at first, from 1,314,000 on quick")


def test_alike_arms_never_change_and_one_may_be_cheaper_throughout():
    assert changes(ARM, replace(ARM, arm="b"), terms()) == []
    quick = replace(ARM, arm="b", throughput_per_s=2)
    assert changes(ARM, quick, terms()) == [(0.0, "b")]
    (pair,) = break_evens([ARM, quick], terms())
    assert (pair.requests, pair.text) == (None, "b is cheaper than a at any volume")
    (pair,) = break_evens([ARM, replace(ARM, arm="b")], terms())
    assert pair.text == "a and b cost the same at any volume"


def test_every_pair_of_the_same_unit_is_told():
    free = replace(HOSTED, arm="unknown", usd_per_request=None)
    arms = [ARM, replace(ARM, arm="b", fit_s=5), HOSTED, free]
    pairs = {(p.first, p.second) for p in break_evens(arms, terms())}
    assert pairs == {("a", "b"), ("a", "hosted"), ("b", "hosted")}
    assert {(p.first, p.second) for p in break_evens(arms, terms(usd_per_hour=None))} == {
        ("a", "b")
    }
    assert break_evens(arms, replace(terms(), traffic=None)) == ()


USAGES = st.builds(
    lambda fit_s, speed, charge: replace(
        ARM, fit_s=fit_s, throughput_per_s=speed, elsewhere=bool(charge), usd_per_request=charge
    ),
    st.floats(0, 1e6),
    st.floats(0.01, 1e3),
    st.one_of(st.none(), st.floats(1e-6, 1)),
)


@settings(max_examples=60)
@given(USAGES, USAGES, st.sampled_from(["busy", "reserved"]), st.floats(10, 1e6))
def test_between_two_changes_the_named_arm_is_cheaper(first, second, serving, monthly):
    first, second = replace(first, arm="a"), replace(second, arm="b")
    there = terms(serving=serving, monthly=monthly)
    found = changes(first, second, there)
    assume(found)
    arms = {"a": first, "b": second}
    for (low, name), (high, _) in pairwise([*found, (2 * found[-1][0] or 1.0, "")]):
        other = arms["b" if name == "a" else "a"]
        if high > 1e-3 and high - low > 1e-6 * high and (high < monthly * 50 or serving == "busy"):
            at = there.at_volume((low + high) / 2)
            mine, others = (costs_of(arm, at).known_total() for arm in (arms[name], other))
            assert mine <= others * (1 + 1e-9) + 1e-9
    assert all(low[1] != high[1] for low, high in pairwise(found))


def test_arms_that_cost_the_same_before_the_first_request_do_not_cross_there():
    quick, slow = (
        replace(ARM, arm=name, fit_s=1.0, throughput_per_s=speed)
        for name, speed in (("quick", 120 / 0.5), ("slow", 120 / 5))
    )
    for fit_s in (1.0, 0.1, 0.7, 1e4 / 3):
        pair = (replace(arm, fit_s=fit_s) for arm in (slow, quick))
        assert changes(*pair, terms(months=10)) == [(0.0, "quick")]


def test_two_steps_that_rounding_alone_keeps_apart_have_no_line_between_them():
    assert volume.root(100.0, 100.0, 1.0, 2.0) is None


def test_the_curve_runs_from_a_hundredth_to_a_hundred_times_the_volume():
    drawn = curve([ARM, HOSTED, replace(HOSTED, arm="?", usd_per_request=None)], terms())
    assert drawn.unit == "usd"
    assert [line.strategy for line in drawn.lines] == ["a", "hosted"]
    assert drawn.requests_per_month[0] == pytest.approx(10)
    assert drawn.requests_per_month[-1] == pytest.approx(100_000)
    middle = drawn.requests_per_month.index(1000.0)
    assert drawn.lines[0].totals[middle] == pytest.approx(1.0)  # 1,000 s, a thousandth $ each
    assert drawn.lines[1].totals[-1] == pytest.approx(100.0)
    assert all(low < high for low, high in pairwise(drawn.lines[0].totals))


def test_there_is_no_curve_without_traffic_or_a_known_cost():
    assert curve([ARM], replace(terms(), traffic=None)) is None
    assert curve([], terms()) is None
    assert curve([replace(HOSTED, usd_per_request=None)], terms()) is None
    assert curve([ARM], terms(usd_per_hour=None)).unit == "s"
