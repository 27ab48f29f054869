"""Arms whose answers came from somebody's server: their times and charges, no seconds of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_made import PRICES, Arm, right, write_run

from harness.analysis import analyse
from harness.prices import Prices
from harness.store.records import LoadedModel
from harness.types import Endpoint, ModelRef, Prediction
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 40
CHARGES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 10.0}
HOSTED = {"needs_model": True, "learns": "nothing", "labels_n": 0}
TRAFFIC = {"requests_per_month": 1000, "months": 1}


def model(**charges):
    endpoint = Endpoint("openai", usd_per_million_cached_tokens=0.5, **charges)
    origin = "hosted at http://server/v1"
    return ModelRef("far", "http://server/v1", origin=origin, hosted=endpoint)


def far(name="far", usd=None, wall_s=2.0, **more):
    """An arm that is right throughout; our own clock saw replays only in answering all rows."""
    answers = [
        Prediction(text, prompt_tokens=1000, output_tokens=100, wall_s=wall_s, usd=usd)
        for text in right(TARGETS)
    ]
    alone = [wall_s or 1e-4] * 4
    return Arm(name, [answers], walls_s=alone, predict_s=1e-3, plan=HOSTED, **more)


NEAR = Arm("near", [right(TARGETS)], complexity=0, predict_s=8.0, plan={"labels_n": 0})
"""80 answers in 8 s, a tenth of a second each."""


def analysed(path, *arms, **more):
    comparison = analyse(write_run(path, TARGETS, arms, **more))
    return comparison, {row.strategy: row for row in comparison.arms}


def test_latency_is_of_requests_one_at_a_time_and_throughput_of_all(tmp_path):
    arm = far()
    arm.walls_s = [0.2, 0.2, 0.2, 0.4]
    walls = [0.1 * (i + 1) for i in range(80)]
    arm.answers = [[replace(p, wall_s=w) for p, w in zip(arm.answers[0], walls, strict=True)]]
    comparison, rows = analysed(tmp_path, arm, NEAR, model=model())
    assert rows["far"].p50_s == pytest.approx(0.2)
    assert rows["far"].p95_s == pytest.approx(0.37)  # between the third and the fourth
    assert rows["far"].p50_cold_s is None
    assert rows["far"].throughput_per_s == pytest.approx(1 / 4.05)
    assert rows["near"].p50_s == pytest.approx(0.1)
    assert rows["near"].throughput_per_s == pytest.approx(10)
    assert any("as it was first asked" in note for note in rows["far"].notes)
    assert not rows["near"].notes
    assert "as it was first asked" in markdown(comparison)


def test_a_slow_server_misses_a_limit_that_its_replays_would_meet(tmp_path):
    _, rows = analysed(tmp_path, far(), NEAR, model=model(), limits={"max_p95_ms": 500})
    assert rows["far"].misses == ("limits.max_p95_ms",)
    assert rows["near"].misses == ()


def test_an_answer_that_failed_has_no_time_and_the_others_still_count(tmp_path):
    arm = far(usd=0.002)
    arm.answers = [[Prediction("", error="silent"), *arm.answers[0][1:]]]
    _, rows = analysed(tmp_path, arm, NEAR, model=model())
    assert rows["far"].p50_s == 2.0
    assert rows["far"].usd_per_1k_busy == pytest.approx(2.0)
    assert rows["far"].failed_items == 1


@pytest.mark.parametrize("wall_s", [None, 0.0])
def test_times_count_only_where_every_answer_brings_its_own(tmp_path, wall_s):
    arm = far()
    arm.answers = [[Prediction("yes", wall_s=wall_s), *arm.answers[0][1:]]]
    _, rows = analysed(tmp_path, arm, NEAR, model=model())
    assert rows["far"].throughput_per_s == pytest.approx(80 / 1e-3)


@pytest.mark.parametrize("serving", ["busy", "reserved"])
def test_requests_cost_what_is_charged_however_machines_are_paid(tmp_path, serving):
    traffic = {**TRAFFIC, "serving": serving}
    comparison, rows = analysed(
        tmp_path, far(fit_s=5.0), NEAR, model=model(**CHARGES), prices=PRICES, traffic=traffic
    )
    row = rows["far"]
    # 1,000 tokens at 1 $ and 100 at 10 $ a million are 0.002 $; our machine takes 0.001 $ a second.
    assert row.usd_per_1k_busy == row.usd_per_1k_reserved == pytest.approx(2.0)
    assert row.fit_usd == pytest.approx(0.005)
    assert row.total_usd == pytest.approx(0.005 + 2.0)
    assert row.cost.machine_s is None
    pairs = [pair.text for pair in comparison.recommendation.break_even]
    # A machine that is always on is $2,628 a month, what 1,314,000 requests are charged; near
    # also takes 4 s less to fit.
    assert pairs == [
        "near is cheaper than far at any volume"
        if serving == "busy"
        else "by requests a month, far is cheaper at first, from 1,313,998 on near"
    ]
    assert rows["near"].usd_per_1k_busy == pytest.approx(0.1)


def test_prices_that_stand_now_count_and_else_what_was_charged(tmp_path):
    now = analysed(tmp_path / "a", far(usd=7.0), NEAR, model=model(**CHARGES))[1]["far"]
    then = analysed(tmp_path / "b", far(usd=7.0), NEAR, model=model())[1]["far"]
    vendor = analysed(tmp_path / "c", far(usd=7.0, wall_s=None), NEAR)[1]["far"]
    assert now.usd_per_1k_busy == pytest.approx(2.0)
    assert then.usd_per_1k_busy == pytest.approx(7000)
    assert vendor.usd_per_1k_busy == pytest.approx(7000)  # of no hosted model's, but charged


ROW = {
    **{"model": "far", "base_url": "http://server/v1/", "usd_per_million_cached_tokens": 0.5},
    **CHARGES,
    **{"source": "https://example.com/tokens", "read_on": "2026-11-20"},
}


def unpriced(**charges):
    """A hosted model for which the task gives no price, or only those that are named."""
    return replace(model(), hosted=Endpoint("openai", **charges))


def test_token_prices_come_from_the_price_file_where_the_task_gives_none(tmp_path):
    folder = write_run(tmp_path, TARGETS, [far(), NEAR], model=unpriced(), prices={"hosted": [ROW]})
    comparison = analyse(folder)
    row = next(row for row in comparison.arms if row.strategy == "far")
    assert row.usd_per_1k_busy == pytest.approx(2.0)
    said = "Token prices of far at http://server/v1/: read 2026-11-20 at https://example.com/tokens"
    assert said in comparison.cost_basis
    dearer = Prices.model_validate({"hosted": [{**ROW, "usd_per_million_output_tokens": 20.0}]})
    again = {row.strategy: row for row in analyse(folder, dearer).arms}
    assert again["far"].usd_per_1k_busy == pytest.approx(3.0)


def test_the_task_files_own_token_prices_win(tmp_path):
    own = unpriced(usd_per_million_input_tokens=5.0, usd_per_million_output_tokens=0.0)
    comparison, rows = analysed(tmp_path, far(), NEAR, model=own, prices={"hosted": [ROW]})
    assert rows["far"].usd_per_1k_busy == pytest.approx(5.0)
    assert "Token prices" not in comparison.cost_basis


def test_a_price_of_another_hosted_model_is_no_price(tmp_path):
    other = {"hosted": [{**ROW, "model": "farther"}]}
    _, rows = analysed(tmp_path, far(), NEAR, model=unpriced(), prices=other)
    assert rows["far"].usd_per_1k_busy is None


def test_an_old_token_price_is_a_finding(tmp_path):
    old = {"hosted": [{**ROW, "read_on": "2025-11-19"}]}  # the run is of 2026-11-20
    comparison, _ = analysed(tmp_path, far(), NEAR, model=unpriced(), prices=old)
    (said,) = [words for words in comparison.findings if "more than a year" in words]
    assert said.startswith("the price of far at http://server/v1/ was read on 2025-11-19")


@pytest.mark.parametrize("prices", [None, PRICES])
def test_without_charges_money_is_unknown_and_our_seconds_do_not_stand_in(tmp_path, prices):
    # Our machine had next to nothing to do for it: by its seconds it would be the cheapest.
    comparison, rows = analysed(
        tmp_path, far(complexity=2, fit_s=0), NEAR, model=model(), prices=prices, traffic=TRAFFIC
    )
    row = rows["far"]
    assert (row.usd_per_1k_busy, row.usd_per_1k_reserved, row.total_usd) == (None, None, None)
    assert row.cost.machine_s is None
    assert any("usd_per_million" in part for part in row.cost.not_counted)
    assert comparison.recommendation.choice == "near"  # the simpler
    assert comparison.recommendation.break_even == ()
    assert "The cost of far is not comparable" in comparison.cost_basis
    assert "cost unknown" in " ".join(comparison.recommendation.reasons)


def test_dollars_are_not_compared_with_seconds(tmp_path):
    arms = (far(complexity=0), replace(NEAR, complexity=3))
    comparison, rows = analysed(tmp_path, *arms, model=model(**CHARGES), traffic=TRAFFIC)
    assert rows["far"].total_usd == pytest.approx(2.0)
    assert rows["near"].cost.machine_s == pytest.approx(101.0)
    assert comparison.recommendation.choice == "far"  # the simpler, whatever the figures
    assert comparison.recommendation.break_even == ()
    page = markdown(comparison)
    assert "| $2.00 |" in page
    assert "| 101 s of machine time |" in page


def test_arms_that_are_all_charged_for_are_ordered_by_that(tmp_path):
    arms = (far("dear", usd=0.2, complexity=0), far("cheap", usd=0.001, complexity=3))
    comparison, _ = analysed(tmp_path, *arms, model=model(), traffic=TRAFFIC)
    assert comparison.recommendation.choice == "cheap"
    assert comparison.cost_basis.startswith("Dollars over")
    assert [p.text for p in comparison.recommendation.break_even] == [
        "cheap is cheaper than dear at any volume"
    ]


def test_a_limit_on_money_is_not_met_by_what_is_not_known(tmp_path):
    limits = {"max_usd_per_1k": 5.0}
    _, rows = analysed(tmp_path / "a", far(), NEAR, model=model(), limits=limits, prices=PRICES)
    assert rows["far"].misses == ("limits.max_usd_per_1k",)
    assert "token prices (model)" in rows["far"].checks[0].text
    _, rows = analysed(tmp_path / "b", far(), NEAR, model=model(**CHARGES), limits=limits)
    assert rows["far"].misses == ()


def test_both_reports_say_who_was_asked_and_where(tmp_path):
    folder = write_run(tmp_path, TARGETS, [far(), NEAR], model=model())
    trial = next(t for t in folder.trials().values() if t.arm == "far")
    loaded = (LoadedModel(name="far", hosted_at="http://server/v1"),)
    serve = trial.serve.model_copy(update={"loaded_models": loaded})
    folder.append(trial.model_copy(update={"serve": serve}))
    comparison = analyse(folder)
    # In Markdown an address is plain text: nothing that a run names makes a link.
    pages = {r"http\://server/v1": markdown(comparison), "http://server/v1": html(comparison)}
    for address, page in pages.items():
        assert f"used far, hosted at {address}" in page
        assert "None" not in page


def test_a_price_of_requests_that_would_change_the_choice_is_told_and_holds(tmp_path):
    # far takes $2 for 1,000 requests and near $0.1 of our machine: a twentieth of the price.
    arms = (far(complexity=2, fit_s=0), replace(NEAR, fit_s=0))
    task = {"prices": PRICES, "traffic": TRAFFIC, "margin": 0.1}
    found = analysed(tmp_path / "0", *arms, model=model(**CHARGES), **task)[0].recommendation
    assert found.choice == "near"
    (flip,) = [flip for flip in found.flips if flip.key == "charge.far"]
    assert (flip.choice, flip.text) == (
        "far",
        f"far would be chosen with requests to far at {flip.value:g} times their price.",
    )
    assert 0.04 < flip.value < 0.05
    for times, choice in ((flip.value, "far"), (flip.value * 1.05, "near")):
        charges = {key: usd * times for key, usd in CHARGES.items()}
        again, _ = analysed(tmp_path / choice, *arms, model=model(**charges), **task)
        assert again.recommendation.choice == choice


def test_a_price_of_requests_moves_what_a_limit_on_money_allows(tmp_path):
    arms = (far(complexity=0), replace(NEAR, complexity=3))
    limits = {"max_usd_per_1k": 1.0}
    task = {"prices": PRICES, "traffic": TRAFFIC, "margin": 0.1, "limits": limits}
    found = analysed(tmp_path, far(), model=model(**CHARGES), **task)[0].recommendation
    assert found.choice is None
    (flip,) = [flip for flip in found.flips if flip.key == "charge.far"]
    assert (flip.choice, flip.value) == ("far", pytest.approx(0.5, rel=0.01))
    found = analysed(tmp_path / "both", *arms, model=model(**CHARGES), **task)[0].recommendation
    assert "other prices of requests to far" in found.tried


@pytest.mark.parametrize("prices", [None, PRICES])
def test_what_a_vendors_fine_tuning_costs_is_fitting(tmp_path, prices):
    plan = {"replays": True, "learns": "nothing", "labels_n": 0, "fit_usd": 50.0}
    answers = [Prediction(text, wall_s=1.0, usd=0.002) for text in right(TARGETS)]
    vendor = Arm("vendor", [answers], fit_s=1.0, plan=plan)
    _, rows = analysed(tmp_path, vendor, NEAR, prices=prices, traffic=TRAFFIC)
    copying_usd = 0.001 if prices else 0.0
    assert rows["vendor"].fit_usd == pytest.approx(50 + copying_usd)
    assert rows["vendor"].total_usd == pytest.approx(50 + copying_usd + 1000 * 0.002)


def asked_while_fitting(folder, **counts):
    """Let the fit of the arm `far` have asked the hosted model."""
    trial = next(t for t in folder.trials().values() if t.arm == "far")
    loaded = (LoadedModel(name="far", hosted_at="http://server/v1", **counts),)
    fit = trial.fit.model_copy(update={"loaded_models": loaded})
    folder.append(trial.model_copy(update={"fit": fit}))


@pytest.mark.parametrize(
    ("counts", "fit_usd", "counted"),
    [
        ({"requests": 0}, None, True),
        ({"requests": 9, "prompt_tokens": 2_000_000, "output_tokens": 100_000}, 3.0, True),
        ({"requests": 9, "prompt_tokens": 2_000_000}, None, False),
    ],
)
def test_what_is_charged_while_fitting_is_part_of_the_cost(tmp_path, counts, fit_usd, counted):
    folder = write_run(tmp_path, TARGETS, [far(), NEAR], model=model(**CHARGES), traffic=TRAFFIC)
    asked_while_fitting(folder, **counts)
    row = next(row for row in analyse(folder).arms if row.strategy == "far")
    assert row.cost.fitting_usd == (None if fit_usd is None else pytest.approx(fit_usd))
    said = "requests to a hosted model during preparation"
    assert (said not in row.cost.not_counted) is counted
    assert row.total_usd == pytest.approx((fit_usd or 0.0) + 1000 * 0.002)
