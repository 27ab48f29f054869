"""Every figure of cost is read off one list of components, so none can contradict another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.analysis.cost import cost as folds
from harness.analysis.cost.components import COMPONENTS, CostComponent
from harness.analysis.cost.cost import break_even_requests, costs_of, usd_per_1k
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.cost.volume import changes, curve
from reports.sections.costs import headings

MAYBE = {"usd": st.none() | st.floats(0, 10), "hours": st.none() | st.floats(0, 100)}


@st.composite
def usages(draw, arm):
    """Draw an arm that runs here or elsewhere, trains or not, charges or not."""
    elsewhere = draw(st.booleans())
    return Usage(
        arm=arm,
        fit_s=draw(st.floats(0, 1e5)),
        throughput_per_s=draw(st.floats(0.01, 1e4)),
        labels_n=draw(st.integers(0, 1000)),
        needs_model=draw(st.booleans()),
        learns=draw(st.sampled_from(["nothing", "index", "weights"])),
        tunes=draw(st.booleans()),
        elsewhere=elsewhere,
        usd_per_request=draw(st.none() | st.floats(0, 1)) if elsewhere else None,
        fit_charged_usd=draw(st.none() | st.floats(0, 100)),
    )


@st.composite
def terms(draw, traffic=None):
    """Draw what a task may say of money, with traffic and without, paid in either way."""
    hours = {arm: given for arm in "ab" if (given := draw(MAYBE["hours"])) is not None}
    flow = {
        "requests_per_month": draw(st.floats(1, 1e7)),
        "months": draw(st.integers(1, 36)),
        "serving": draw(st.sampled_from(["busy", "reserved"])),
        "utilisation": draw(st.floats(0.05, 1)),
    }
    return Terms(
        usd_per_hour=draw(st.none() | st.floats(0.01, 100)),
        traffic=flow if draw(st.booleans() if traffic is None else st.just(traffic)) else None,
        needs={
            "knowledge_updates_per_month": draw(st.integers(0, 9)),
            "model_changes_per_year": draw(st.integers(0, 4)),
        },
        labour={
            "usd_per_label": draw(MAYBE["usd"]),
            "usd_per_hour": draw(MAYBE["usd"]),
            "hours": hours,
        },
    )


@given(usages("a"), terms())
def test_the_table_adds_up_to_the_total(usage, given_terms):
    costs = costs_of(usage, given_terms)
    total = costs.total("usd")
    assume(total is not None)
    columns = costs.table().components
    shown = [column.usd for column in columns if column.in_total and column.usd is not None]
    assert sum(shown) == pytest.approx(total)
    assert all(column.in_total for column in columns) is bool(given_terms.traffic)


@given(usages("a"), terms())
def test_a_total_is_unknown_just_where_serving_is(usage, given_terms):
    costs = costs_of(usage, given_terms)
    assert (costs.total("usd") is None) is (costs.table().serving_usd is None)
    assert (costs.total("s") is None) is usage.elsewhere


@given(usages("a"), terms(traffic=True))
def test_the_curve_goes_through_the_total_at_the_tasks_volume(usage, given_terms):
    costs = costs_of(usage, given_terms)
    drawn = curve([usage], given_terms)
    assert (drawn is None) is (costs.unit is None)
    if drawn is None:
        return
    (line,) = drawn.lines
    assert line.totals[len(line.totals) // 2] == pytest.approx(costs.total(drawn.unit))
    for volume, total in zip(drawn.requests_per_month, line.totals, strict=True):
        # As if the task had named that volume: the same list, read at another place.
        there = costs_of(usage, given_terms.at_volume(volume))
        assert total == pytest.approx(there.total(drawn.unit))
    assert list(line.totals) == sorted(line.totals)


@given(usages("a"), usages("b"), terms(traffic=True))
def test_totals_are_equal_where_the_break_even_says(a, b, given_terms):
    first, second = costs_of(a, given_terms), costs_of(b, given_terms)
    assume(first.unit is not None and first.unit == second.unit)
    assume(not first.capacities_per_month and not second.capacities_per_month)
    at = break_even_requests(first, second)
    if at is None or not 1e-3 < at < 1e12:
        return
    there = given_terms.volume_of(at / given_terms.months)
    assert first.known_total(there) == pytest.approx(second.known_total(there), rel=1e-6)


@given(usages("a"), usages("b"), terms(traffic=True))
def test_who_is_cheaper_at_the_tasks_volume_is_who_the_totals_say(a, b, given_terms):
    first, second = costs_of(a, given_terms), costs_of(b, given_terms)
    assume(first.unit is not None and first.unit == second.unit)
    now = given_terms.volume.per_month
    crossings = changes(first, second)
    totals = first.known_total(), second.known_total()
    assume(abs(totals[0] - totals[1]) > 1e-6 * max(totals))
    assume(all(abs(at - now) > 1e-6 * now for at, _ in crossings))
    leading = [name for at, name in crossings if at <= now]
    assert leading[-1] == ("a" if totals[0] < totals[1] else "b")


@given(usages("a"), terms())
def test_a_thousand_requests_cost_a_thousandth_of_what_the_volume_brings(usage, given_terms):
    costs = costs_of(usage, given_terms)
    per_1k = costs.usd_per_1k()
    assert (per_1k is None) is (costs.total("usd") is None)
    serving = costs.table().serving_usd
    if per_1k is not None:
        assert per_1k * given_terms.requests / 1000 == pytest.approx(serving)
    busy, reserved = (usd_per_1k(usage, given_terms, way) for way in ("busy", "reserved"))
    assert per_1k == (reserved if given_terms.reserved else busy)


@given(usages("a"), terms())
def test_what_is_unknown_is_said_and_never_counted_as_nothing(usage, given_terms):
    costs = costs_of(usage, given_terms)
    shown = costs.table()
    for component in costs.components:
        if component.amount("usd", costs.volume) is None and component.unknown is not None:
            assert component.unknown in shown.not_counted
    for column in shown.components:
        if column.usd is None:
            assert any(c.unknown for c in costs.components if c.name == column.name) or (
                given_terms.traffic is None
            )


def test_a_component_that_is_added_to_the_list_is_in_every_figure(monkeypatch):
    """Reviewing each answer, written as somebody would add it: one function in one list."""

    def review(usage, terms):
        yield CostComponent("review", "usd", fixed=7.0, per_request=0.002)

    usage = Usage("a", 100, 10, labels_n=0, needs_model=True, learns="weights")
    traffic = {"requests_per_month": 1000, "months": 10, "serving": "busy", "utilisation": 0.3}
    needs = {"knowledge_updates_per_month": 0, "model_changes_per_year": 0}
    labour = {"usd_per_label": None, "usd_per_hour": None, "hours": {}}
    given_terms = Terms(3.6, traffic, needs, labour)
    before = costs_of(usage, given_terms)
    drawn_before = curve([usage], given_terms)
    monkeypatch.setattr(folds, "COMPONENTS", (*COMPONENTS, review))
    after = costs_of(usage, given_terms)
    added = 7.0 + 10_000 * 0.002
    assert after.total("usd") == pytest.approx(before.total("usd") + added)
    assert after.usd_per_1k() == pytest.approx(before.usd_per_1k() + 2.0)
    drawn = curve([usage], given_terms)
    middle = len(drawn.requests_per_month) // 2
    gained = drawn.lines[0].totals[middle] - drawn_before.lines[0].totals[middle]
    assert gained == pytest.approx(added)
    charged = replace(usage, arm="b", elsewhere=True, usd_per_request=0.0)
    assert break_even_requests(after, costs_of(charged, given_terms)) is None
    row = type("Row", (), {"cost": after.table()})
    assert "review" in headings([row])
