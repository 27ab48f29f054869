"""Cost arithmetic by hand: every part, what is not counted, and where break-even lies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.analysis.cost.components import refits
from harness.analysis.cost.cost import break_even_requests, costs_of
from harness.analysis.cost.terms import Terms, Usage

MONTH_S = 730 * 3600
NEEDS = {"knowledge_updates_per_month": 0, "model_changes_per_year": 0}
LABOUR = {"usd_per_label": None, "usd_per_hour": None, "hours": {}}
LORA = Usage("lora", 3600, 10, labels_n=500, needs_model=True, learns="weights", tunes=True)
RULE = Usage("rule", 0, 1000, labels_n=0, needs_model=False, learns="nothing")


def terms(usd_per_hour=2.0, months=12, monthly=1_000_000, serving="busy", **fields):
    traffic = {"requests_per_month": monthly, "months": months}
    traffic |= {"serving": serving, "utilisation": 0.3}
    defaults = {"traffic": traffic, "needs": NEEDS, "labour": LABOUR}
    return Terms(usd_per_hour, **{**defaults, **fields})


def total(usage, given_terms):
    return costs_of(usage, given_terms).total("usd")


def parts_of(usage, given_terms):
    return costs_of(usage, given_terms).table()


def machine_s(usage, given_terms):
    return costs_of(usage, given_terms).total("s")


def test_every_part_is_counted_as_by_hand():
    needs = {"knowledge_updates_per_month": 4, "model_changes_per_year": 2}
    labour = {"usd_per_label": 0.1, "usd_per_hour": 60, "hours": {"lora": 10}}
    given_terms = terms(needs=needs, labour=labour)
    parts = parts_of(LORA, given_terms)
    assert parts.labels_usd == pytest.approx(50)  # 500 labels
    assert parts.people_usd == pytest.approx(600)  # 10 h
    assert parts.fitting_usd == pytest.approx(2)  # 1 h
    assert parts.refitting_usd == pytest.approx(100)  # 4 × 12 updates and 2 new models, 1 h each
    assert parts.serving_usd == pytest.approx(2000 / 3)  # 12 M requests at 10/s are 333.3 h
    assert parts.not_counted == ()
    assert parts.machine_s == pytest.approx(3600 * 51 + 1_200_000)
    assert total(LORA, given_terms) == pytest.approx(50 + 600 + 2 + 100 + 2000 / 3)


@pytest.mark.parametrize(
    ("monthly", "machines"),
    # One machine computes 10/s × 0.3 × 2,628,000 s = 7,884,000 requests a month.
    [(1, 1), (7_884_000, 1), (7_885_000, 2), (16_000_000, 3)],
)
def test_a_reserved_machine_is_paid_whole(monthly, machines):
    given_terms = terms(monthly=monthly, serving="reserved")
    (*_, serving) = costs_of(LORA, given_terms).components
    assert serving.amount("s", given_terms.volume) == machines * MONTH_S * 12
    assert parts_of(LORA, given_terms).serving_usd == pytest.approx(machines * 730 * 12 * 2)


@pytest.mark.parametrize(
    ("arm", "times"),
    [
        pytest.param({"learns": "nothing", "tunes": False}, 0, id="prompts"),
        pytest.param({"learns": "index", "tunes": False}, 48, id="searches"),
        pytest.param({"tunes": False, "needs_model": False}, 48, id="counts words"),
        pytest.param({"tunes": False}, 48, id="counts words, and prompts where unsure"),
        pytest.param({"needs_model": False}, 48, id="tunes an embedding model"),
        pytest.param(
            {"learns": "nothing", "needs_model": False, "elsewhere": True},
            50,
            id="replays what a model says that was tuned elsewhere",
        ),
        pytest.param(
            {"learns": "nothing", "tunes": False, "needs_model": False, "elsewhere": True},
            0,
            id="replays what was never tuned",
        ),
        pytest.param({}, 50, id="tunes the task's model"),
    ],
)
def test_who_is_fitted_again_and_how_often(arm, times):
    needs = {"knowledge_updates_per_month": 4, "model_changes_per_year": 2}
    assert refits(replace(LORA, **arm), terms(needs=needs)) == times


def test_labels_burden_only_an_arm_that_trains():
    labour = {**LABOUR, "usd_per_label": 0.1}
    assert parts_of(RULE, terms(labour=labour)).labels_usd == 0
    assert parts_of(LORA, terms(labour=labour)).labels_usd == pytest.approx(50)


def test_what_is_not_given_is_unknown_and_said():
    parts = parts_of(LORA, terms(labour={**LABOUR, "usd_per_hour": 60}))
    assert parts.labels_usd is None
    assert parts.people_usd is None  # a wage, but no hours for this arm
    assert any("labels" in part for part in parts.not_counted)
    assert any("people" in part for part in parts.not_counted)


def test_without_a_price_money_is_none_and_never_zero():
    parts = parts_of(LORA, terms(usd_per_hour=None))
    assert (parts.fitting_usd, parts.refitting_usd, parts.serving_usd) == (None, None, None)
    assert total(LORA, terms(usd_per_hour=None)) is None
    assert parts.machine_s == pytest.approx(3600 + 1_200_000)
    assert any("no price row" in part for part in parts.not_counted)


def test_without_traffic_a_thousand_requests_are_compared():
    given_terms = terms(traffic=None)
    parts = parts_of(LORA, given_terms)
    assert machine_s(LORA, given_terms) == pytest.approx(100)
    assert total(LORA, given_terms) == pytest.approx(100 * 2 / 3600)
    assert parts.fitting_usd == pytest.approx(2)  # shown beside it
    (said,) = [part for part in parts.not_counted if "traffic" in part]
    assert said.startswith("labels, people's time, preparation and repeated preparation (they need")


def both(first, second, given_terms):
    return costs_of(first, given_terms), costs_of(second, given_terms)


def fixed(usage, price):
    return costs_of(usage, terms(price)).fixed()


def test_break_even_lies_where_the_formula_by_hand_says():
    tuned = replace(LORA, fit_s=7200, throughput_per_s=100)
    plain = replace(RULE, throughput_per_s=10)
    given_terms = terms(usd_per_hour=3600)  # a dollar a second
    # 7,200 dollars more at first, 0.1 − 0.01 dollars less for each request.
    assert break_even_requests(*both(tuned, plain, given_terms)) == pytest.approx(80_000)
    assert break_even_requests(*both(plain, tuned, given_terms)) == pytest.approx(80_000)


def test_an_arm_that_is_cheaper_to_make_and_to_serve_has_no_break_even():
    assert break_even_requests(*both(RULE, LORA, terms())) is None
    assert break_even_requests(*both(LORA, LORA, terms())) is None


SECONDS = st.floats(0, 1e5)
SPEED = st.floats(0.01, 1e4)


@given(SECONDS, SECONDS, SPEED, SPEED, st.sampled_from([None, 2.0]))
def test_totals_cross_at_break_even_in_the_stated_direction(fit_a, fit_b, speed_a, speed_b, price):
    a = replace(LORA, arm="a", fit_s=fit_a, throughput_per_s=speed_a)
    b = replace(LORA, arm="b", fit_s=fit_b, throughput_per_s=speed_b)
    at = break_even_requests(*both(a, b, terms(price)))
    assume(at is not None and 1 < at < 1e12)
    lower, upper = (a, b) if fixed(a, price) < fixed(b, price) else (b, a)

    def cost(usage, requests):
        volume = terms(price, months=1, monthly=requests)
        return machine_s(usage, volume) if price is None else total(usage, volume)

    assert cost(lower, at) == pytest.approx(cost(upper, at), rel=1e-6)
    gap = abs(cost(lower, 2 * at) - cost(upper, 2 * at))
    assume(gap > 1e-9 * cost(lower, 2 * at))
    assert cost(lower, at / 2) < cost(upper, at / 2)
    assert cost(lower, 2 * at) > cost(upper, 2 * at)
