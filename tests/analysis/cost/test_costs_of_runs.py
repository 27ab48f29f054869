"""The terms on which arms compete: prices, limits, needs, what would flip them, and the gate."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, cheap_and_good, right, rows_of, write_run

from harness.analysis import analyse
from harness.cli.verdict import verdict_code
from harness.prices import MachinePrice, Prices, StandsFor
from harness.types import ModelRef


def test_prices_of_the_run_are_used_unless_others_are_given(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), prices=PRICES, traffic=TRAFFIC)
    row = rows_of(analyse(folder))["good"]
    # 100 s of fitting and 10,000 requests at 10/s, a thousandth of a dollar a second.
    assert row.total_usd == pytest.approx(1.1)
    assert row.fit_usd == pytest.approx(0.1)
    assert row.usd_per_1k_busy == pytest.approx(0.1)
    # One machine, always on, for the 1,000 requests of a month of 730 hours at $3.6.
    assert row.usd_per_1k_reserved == pytest.approx(730 * 3.6)
    other = MachinePrice(
        name="other",
        usd_per_hour=36,
        source="invoice 7",
        read_on=date(2026, 1, 2),
        stands_for=StandsFor(cpu_model="abacus"),
    )
    again = analyse(folder, Prices(machines=[other]))
    assert rows_of(again)["good"].total_usd == pytest.approx(11)
    assert "invoice 7" in again.cost_basis


@pytest.mark.parametrize(
    ("stands_for", "assumed"),
    [({"cores": 2}, True), ({}, True), ({"cpu_model": "abacus"}, False)],
)
def test_a_price_that_names_no_processor_is_said_to_rest_on_an_assumption(
    tmp_path, stands_for, assumed
):
    prices = {"machines": [{**PRICES["machines"][0], "stands_for": stands_for}]}
    basis = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), prices=prices)).cost_basis
    assert "the price file lets abacus.large stand for it" in basis
    assert ("We assume that the two are alike" in basis) is assumed


@pytest.mark.parametrize(("serving", "misses"), [("busy", 0), ("reserved", 1)])
def test_a_limit_on_money_is_held_against_the_way_it_is_served(tmp_path, serving, misses):
    folder = write_run(
        tmp_path,
        TARGETS,
        [Arm("a", [right(TARGETS)], predict_s=12)],  # 0.1 busy, 0.33 at 30 % utilisation
        prices=PRICES,
        traffic={**TRAFFIC, "serving": serving},
        limits={"max_usd_per_1k": 0.2},
    )
    assert len(analyse(folder).arms[0].misses) == misses


def test_a_price_of_another_machine_is_no_price(tmp_path):
    other = {**PRICES["machines"][0], "stands_for": {"cores": 64}}
    folder = write_run(
        tmp_path,
        TARGETS,
        cheap_and_good(),
        prices={"machines": [other]},
        limits={"max_usd_per_1k": 1},
    )
    comparison = analyse(folder)
    assert all(row.total_usd is None for row in comparison.arms)
    assert comparison.recommendation.verdict == "nothing_feasible"
    assert any("give a price row" in reason for reason in comparison.recommendation.reasons)
    assert "its cost in money is unknown" in comparison.cost_basis


def test_break_even_says_which_arm_is_cheaper_on_which_side(tmp_path):
    slow = Arm("slow", [right(TARGETS)], complexity=0, fit_s=0, predict_s=120)
    quick = Arm("quick", [right(TARGETS)], complexity=0, fit_s=900, predict_s=12)
    folder = write_run(tmp_path, TARGETS, [slow, quick], prices=PRICES, traffic=TRAFFIC)
    (pair,) = analyse(folder).recommendation.break_even
    assert pair.requests == pytest.approx(1000)  # 900 s against 1 − 0.1 s a request
    below, above = re.fullmatch(
        r"below 1,000 .* (\w+) is cheaper, above it (\w+)", pair.text
    ).groups()
    for requests, cheaper, dearer in ((500, below, above), (2000, above, below)):
        rows = rows_of(
            analyse(with_task(folder, traffic={**TRAFFIC, "requests_per_month": requests / 10}))
        )
        assert rows[cheaper].total_usd < rows[dearer].total_usd


def with_task(folder, **changes):
    """Append an invocation that differs from the last one in some keys of its task."""
    header = folder.last_header()
    traffic = changes.get("traffic")
    if traffic is not None:
        changes["traffic"] = {**(header.task["traffic"] or {}), **traffic}
    folder.append(header.model_copy(update={"task": {**header.task, **changes}}))
    return folder


def test_costs_that_hardly_differ_do_not_decide(tmp_path):
    arms = [Arm("a", [right(TARGETS)], fit_s=100), Arm("b", [right(TARGETS)], fit_s=101)]
    (pair,) = analyse(write_run(tmp_path, TARGETS, arms, traffic=TRAFFIC)).recommendation.break_even
    assert pair.text == (
        "cost does not decide between a and b at this volume (within 5%); a is cheaper than b at"
        " any volume"
    )


def test_only_arms_that_compete_are_compared_at_other_volumes(tmp_path):
    arms = [
        Arm("best", [right(TARGETS)]),
        Arm("near", [right(TARGETS, range(4))]),
        Arm("close", [right(TARGETS, range(6))]),
        Arm("hopeless", [right(TARGETS, range(0, 120, 2))]),
        Arm("slow", [right(TARGETS, [0])], walls_s=(9, 9, 9, 9)),
    ]
    limits = {"max_p95_ms": 5000}
    folder = write_run(tmp_path, TARGETS, arms, traffic=TRAFFIC, limits=limits, margin=0.05)
    comparison = analyse(folder)
    assert {line.strategy for line in comparison.cost_curve.lines} == {"best", "near", "close"}
    pairs = {frozenset((p.first, p.second)) for p in comparison.recommendation.break_even}
    assert len(pairs) == 3


def test_flips_of_the_margin_hold_when_judged_with_that_margin(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(wrong=12), margin=0.05)
    found = analyse(folder).recommendation
    margins = [flip for flip in found.flips if "margin" in flip.change]
    assert margins
    for flip in margins:
        side, points = re.fullmatch(r"a margin (below|above) ([\d.]+) points", flip.change).groups()
        beyond = float(points) / 100 + {"below": -0.0006, "above": 0.0006}[side]
        again = analyse(with_task(folder, margin=beyond)).recommendation
        assert again.choice == flip.choice != found.choice


def test_no_flip_accepts_an_arm_that_gets_nothing_right(tmp_path):
    arms = [
        Arm("good", [right(TARGETS, range(48))], fit_s=9),
        Arm("none", [right(TARGETS, range(118))]),
    ]
    found = analyse(write_run(tmp_path, TARGETS, arms, margin=0.05, traffic=TRAFFIC)).recommendation
    assert found.choice == "good"
    assert any("none scoring" in flip.change for flip in found.flips)
    assert not any("margin above" in flip.change for flip in found.flips)


def test_flips_of_the_traffic_hold_when_judged_with_that_traffic(tmp_path):
    slow = Arm("slow", [right(TARGETS)], complexity=0, fit_s=0, predict_s=120)
    quick = Arm("quick", [right(TARGETS)], complexity=3, fit_s=9000, predict_s=12)
    folder = write_run(tmp_path, TARGETS, [slow, quick], prices=PRICES, traffic=TRAFFIC)
    found = analyse(folder).recommendation
    volumes = [flip for flip in found.flips if "requests a month" in flip.change]
    # Break-even is at 10,000 requests over the horizon, which is just what is asked.
    assert {flip.choice for flip in volumes} == {"quick"}
    for flip in volumes:
        monthly = float(flip.change.split()[0].replace(",", ""))
        again = analyse(with_task(folder, traffic={"requests_per_month": monthly}))
        assert again.recommendation.choice == flip.choice != found.choice


def test_a_borderline_limit_is_a_flip(tmp_path):
    arm = Arm("a", [right(TARGETS, range(30))])
    found = analyse(write_run(tmp_path, TARGETS, [arm], limits={"min_score": 0.72})).recommendation
    assert found.choice == "a"
    (flip, _) = found.flips  # and a limit that it would miss
    assert "score 0.750 (at least 0.720 required)" in flip.text
    assert flip.choice is None  # analysed again with the limit missed: no arm is left


def test_limits_on_time_and_memory_reject_by_the_measured_figures(tmp_path):
    limits = {"max_p95_ms": 10, "max_serve_memory_gib": 0.05, "max_fit_memory_gib": 1}
    row = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), limits=limits)).arms[0]
    assert row.misses == ("limits.max_p95_ms", "limits.max_serve_memory_gib")


def test_a_need_that_no_arm_offers_leaves_nothing_feasible(tmp_path):
    arms = cheap_and_good()
    comparison = analyse(write_run(tmp_path / "1", TARGETS, arms, needs={"citations": True}))
    assert comparison.recommendation.verdict == "nothing_feasible"
    arms[0].plan = {"provides": ("citations",)}
    comparison = analyse(write_run(tmp_path / "2", TARGETS, arms, needs={"citations": True}))
    assert comparison.recommendation.choice == "cheap"


@pytest.mark.parametrize(("read_on", "old"), [("2025-11-20", False), ("2025-11-19", True)])
def test_a_price_of_more_than_a_year_before_the_run_is_said_to_be_old(tmp_path, read_on, old):
    prices = {"machines": [{**PRICES["machines"][0], "read_on": read_on}]}
    findings = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), prices=prices)).findings
    assert any(f"abacus.large was read on {read_on}" in words for words in findings) is old


def test_an_old_price_that_applies_to_nothing_here_is_not_mentioned(tmp_path):
    other = {**PRICES["machines"][0], "read_on": "2020-01-01", "stands_for": {"cores": 64}}
    prices = {"machines": [other]}
    comparison = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), prices=prices))
    assert not any("more than a year" in words for words in comparison.findings)


@pytest.mark.parametrize(("usd_per_label", "said"), [(0.1, True), (0.001, False), (None, False)])
def test_labels_that_are_most_of_the_cost_are_said_to_be(tmp_path, usd_per_label, said):
    labour = {"usd_per_label": usd_per_label}
    arms = cheap_and_good()  # 40 labels, and $1.10 of machine time over the horizon
    folder = write_run(tmp_path, TARGETS, arms, prices=PRICES, traffic=TRAFFIC, labour=labour)
    reasons = analyse(folder).recommendation.reasons
    words = "Labels are 78% of the cost of good ($4.00 of $5.10)."
    assert any(reason.startswith(words) for reason in reasons) is said


def test_arms_that_need_no_labels_are_named_beside_their_price(tmp_path):
    arms = [*cheap_and_good(), Arm("rule", [["yes"] * 120], plan={"labels_n": 0})]
    labour = {"usd_per_label": 0.1}
    folder = write_run(tmp_path, TARGETS, arms, prices=PRICES, traffic=TRAFFIC, labour=labour)
    (said,) = (why for why in analyse(folder).recommendation.reasons if why.startswith("Labels"))
    assert said == "Labels are 78% of the cost of good ($4.00 of $5.10). rule needs none."


@pytest.mark.parametrize(("hours", "said"), [({"good": 2}, True), ({"good": 2, "cheap": 1}, False)])
def test_people_who_are_counted_for_some_arms_alone_are_said_to_be(tmp_path, hours, said):
    labour = {"usd_per_hour": 50, "hours": hours}
    folder = write_run(
        tmp_path, TARGETS, cheap_and_good(), prices=PRICES, traffic=TRAFFIC, labour=labour
    )
    words = "People's time is counted for good and not for cheap, which seem cheaper"
    reasons = analyse(folder).recommendation.reasons
    assert any(reason.startswith(words) for reason in reasons) is said


@pytest.mark.parametrize(("memory_gib", "said"), [(0.1, True), (8, False), (None, False)])
def test_an_arm_that_the_priced_machine_could_not_run_is_said_to_be_one(memory_gib, said, tmp_path):
    prices = {"machines": [{**PRICES["machines"][0], "memory_gib": memory_gib}]}
    reasons = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), prices=prices))
    words = "good took 200 MiB of memory, more than the 0.1 GiB of abacus.large"
    assert any(why.startswith(words) for why in reasons.recommendation.reasons) is said


def test_without_traffic_labels_are_no_share_of_a_total_that_leaves_them_out(tmp_path):
    labour = {"usd_per_label": 0.1}
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), prices=PRICES, labour=labour)
    comparison = analyse(folder)
    row = rows_of(comparison)["good"]
    assert row.cost.labels_usd > row.total_usd  # $4 beside the serving of 1,000 requests
    assert not any("Labels are" in reason for reason in comparison.recommendation.reasons)
    assert any("they need `traffic`" in part for part in row.cost.not_counted)


def base(licence):
    return ModelRef("base", "/models/base", licence=licence)


@pytest.mark.parametrize(
    ("licence", "choice", "why"),
    [
        ("apache-2.0", "good", None),
        ("llama3", "cheap", "the licence of base is llama3, and the task needs mit or apache-2.0"),
        (None, "cheap", "the licence of base is unknown, and the task needs mit or apache-2.0"),
    ],
)
def test_a_base_models_licence_rejects_the_arms_that_need_it(tmp_path, licence, choice, why):
    cheap, good = cheap_and_good()
    good.plan = {"needs_model": True}
    needs = {"licence": ["mit", "apache-2.0"]}
    folder = write_run(tmp_path, TARGETS, [cheap, good], needs=needs, model=base(licence))
    comparison = analyse(folder)
    found = comparison.recommendation
    assert found.choice == choice
    assert rows_of(comparison)["cheap"].misses == ()
    assert rows_of(comparison)["good"].misses == (() if why is None else ("needs.licence",))
    assert why is None or found.rejected["good"].startswith(why)


def test_an_embedders_licence_rejects_the_arm_that_searches_with_it(tmp_path):
    cheap, good = cheap_and_good()
    good.plan = {"licences": {"owner/embedder": "cc-by-nc-4.0"}}
    folder = write_run(tmp_path, TARGETS, [cheap, good], needs={"licence": ["mit"]})
    found = analyse(folder).recommendation
    assert found.choice == "cheap"
    said = "the licence of owner/embedder is cc-by-nc-4.0, and the task needs mit"
    assert found.rejected["good"].startswith(said)


@pytest.mark.parametrize(
    ("arms", "task", "gated", "plain"),
    [
        pytest.param(cheap_and_good(), {}, 0, 0, id="a choice"),
        pytest.param(cheap_and_good(2), {"margin": 0.0}, 0, 0, id="a provisional choice"),
        pytest.param(cheap_and_good(), {"limits": {"max_p95_ms": 1}}, 3, 0, id="none is feasible"),
        pytest.param([Arm("a", [right(TARGETS)])], {}, 0, 0, id="one arm"),
        pytest.param(
            [Arm("a", [right(TARGETS)])], {"limits": {"max_p95_ms": 1}}, 3, 0, id="one that misses"
        ),
        pytest.param([Arm("a", status="failed", error="x")], {}, 3, 3, id="all failed"),
        pytest.param(
            [*cheap_and_good(), Arm("a", status="failed", error="x")], {}, 0, 0, id="one failed"
        ),
    ],
)
def test_the_exit_code_of_a_verdict_with_and_without_the_gate(tmp_path, arms, task, gated, plain):
    comparison = analyse(write_run(tmp_path, TARGETS, arms, **task))
    assert comparison.recommendation.reasons
    assert verdict_code(comparison, gate=True) == gated
    assert verdict_code(comparison, gate=False) == plain


def test_a_gate_does_not_let_a_chosen_arm_pass_that_misses_a_criterion(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, cheap_and_good()))
    rows = [row.model_copy(update={"misses": ("limits.min_score",)}) for row in comparison.arms]
    assert verdict_code(comparison.model_copy(update={"arms": tuple(rows)}), gate=True) == 3
