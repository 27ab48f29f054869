"""A run whose arms were measured on two machines: what is compared, and what is refused."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hand_made import (
    MACHINE,
    PRICES,
    TARGETS,
    TRAFFIC,
    Arm,
    cheap_and_good,
    on,
    right,
    rows_of,
    write_run,
)

from harness.analysis import analyse, compare, compared_lines
from harness.analysis.cost.cost import costs_of
from harness.analysis.cost.terms import OtherMachine, Terms, Usage
from harness.analysis.performance.machines import reference_of
from harness.store.machine import Hardware
from harness.types import Prediction
from reports import html
from reports import whole_markdown as markdown

LAPTOP = MACHINE.model_copy(update={"cpu_model": "Slate 4", "cores": 4})
ROW = PRICES["machines"][0]
BOTH = {
    "machines": [
        ROW,
        {**ROW, "name": "slate", "usd_per_hour": 36.0, "stands_for": {"cores": 4}},
    ]
}
LIMITS = {"max_p95_ms": 5000, "max_serve_memory_gib": 1, "max_fit_memory_gib": 1}
HERE = Hardware(machine=MACHINE, device="cpu", dtype="float32")
THERE = Hardware(machine=LAPTOP, device="cpu", dtype="float32")


def two_machines(path, **task):
    """Write a run on one machine, of which the laptop measured the arm `good`."""
    cheap, good = cheap_and_good()
    good.machine = LAPTOP
    return write_run(path, TARGETS, [cheap, good], **{"prices": BOTH, "traffic": TRAFFIC, **task})


def test_quality_counts_wherever_it_was_measured(tmp_path):
    comparison = analyse(two_machines(tmp_path))
    alone = analyse(write_run(tmp_path / "one", TARGETS, cheap_and_good(), traffic=TRAFFIC))
    for arm, other in zip(comparison.arms, alone.arms, strict=True):
        assert arm.score == other.score
        assert arm.gap_to_best == other.gap_to_best
    assert comparison.differences == alone.differences
    assert comparison.recommendation.choice == "good"  # shown to be better, whatever it costs


def test_times_and_cost_are_those_of_the_machine_that_measured_them_at_its_price(tmp_path):
    rows = rows_of(analyse(two_machines(tmp_path)))
    good, cheap = rows["good"], rows["cheap"]
    assert (good.machine, cheap.machine) == (LAPTOP, MACHINE)
    assert good.p50_s == cheap.p50_s == pytest.approx(0.1)
    # 100 s of preparation and 10,000 requests at 10/s, a hundredth of a dollar a second.
    assert good.total_usd == pytest.approx(11.0)
    assert good.fit_usd == pytest.approx(1.0)
    assert good.usd_per_1k_busy == pytest.approx(1.0)
    assert cheap.total_usd == pytest.approx(0.0101)


def test_a_machine_without_a_price_row_leaves_money_unknown(tmp_path):
    good = rows_of(analyse(two_machines(tmp_path, prices=PRICES)))["good"]
    assert (good.total_usd, good.fit_usd, good.usd_per_1k_busy) == (None, None, None)
    assert any("no price row" in part for part in good.cost.not_counted)


def test_a_limit_is_neither_met_nor_missed_by_figures_of_another_machine(tmp_path):
    limits = {**LIMITS, "max_usd_per_1k": 100, "min_score": 0.5}
    found = analyse(two_machines(tmp_path, limits=limits))
    states = {
        name: {check.key: check.state for check in row.checks}
        for name, row in rows_of(found).items()
    }
    assert set(states["cheap"].values()) == {"met"}
    assert states["good"].pop("limits.min_score") == "met"
    assert set(states["good"].values()) == {"unknown"}
    assert found.recommendation.choice == "cheap"
    why = found.recommendation.rejected["good"]
    assert "not comparable, measured on Slate 4 with 4 cores" in why
    assert "this run is on Abacus 2 with 2 cores" in why
    assert "run the task with --fresh" in why
    # A looser limit would not let it in either: nothing that is tried changes what is unknown.
    assert not any(flip.choice == "good" for flip in found.recommendation.flips)


def alike(path, machine, prices=BOTH):
    """Write a run of two arms that score the same; the dearer one is the simpler."""
    slow = Arm("slow", [right(TARGETS)], complexity=0, predict_s=120, fit_s=900)
    quick = Arm("quick", [right(TARGETS)], complexity=3, predict_s=12, machine=machine)
    return analyse(write_run(path, TARGETS, [slow, quick], prices=prices, traffic=TRAFFIC))


def test_a_cost_of_another_machine_enters_no_order_break_even_or_curve(tmp_path):
    one = alike(tmp_path / "1", None)
    assert one.recommendation.choice == "quick"  # the cheaper
    two = alike(
        tmp_path / "2", LAPTOP, {"machines": [ROW, {**BOTH["machines"][1], "usd_per_hour": 1}]}
    )
    assert rows_of(two)["quick"].total_usd < rows_of(two)["slow"].total_usd
    assert two.recommendation.choice == "slow"  # the simpler, for lack of comparable costs
    assert "costs cannot be compared" in " ".join(two.recommendation.reasons)
    assert two.recommendation.break_even == ()
    assert [line.strategy for line in two.cost_curve.lines] == ["slow"]


def test_a_finding_names_both_machines_the_price_and_what_to_run_again(tmp_path):
    comparison = analyse(two_machines(tmp_path))
    (said,) = [found for found in comparison.findings if "good was measured on" in found]
    assert comparison.findings[0] == said  # the gravest first
    for words in ("Slate 4 with 4 cores", "Abacus 2 with 2 cores", "$36 an hour", "--fresh"):
        assert words in said
    for page in (markdown(comparison), html(comparison)):
        assert "good was measured on Slate 4 with 4 cores" in page
        assert "(measured on another machine)" in page
    kept = json.loads(comparison.model_dump_json(by_alias=True))
    (row,) = [row for row in kept["rows"] if row["strategy"] == "good"]
    assert row["machine"]["cpu_model"] == "Slate 4"
    assert set(row["not_compared"]["limits"]) == {*LIMITS, "max_usd_per_1k"}


def test_on_one_machine_nothing_is_refused_and_nothing_said(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), prices=BOTH, limits=LIMITS)
    comparison = analyse(folder)
    assert all(row.not_compared is None for row in comparison.arms)
    assert all(check.state == "met" for row in comparison.arms for check in row.checks)
    assert "another machine" not in markdown(comparison)
    assert not any("measured on" in found for found in comparison.findings)


def moved(folder, arm, **halves):
    """Let halves of an arm's trials have run on other hardware, seed by seed."""
    for number, trial in enumerate(t for t in folder.trials().values() if t.arm == arm):
        update = {
            name: getattr(trial, name).model_copy(update={"hardware": each[number]})
            for name, each in halves.items()
        }
        folder.append(trial.model_copy(update=update))


def test_an_arm_that_was_only_prepared_elsewhere_is_compared_in_serving(tmp_path):
    folder = write_run(
        tmp_path, TARGETS, cheap_and_good(), prices=BOTH, limits=LIMITS, traffic=TRAFFIC
    )
    moved(folder, "good", fit=[THERE])
    comparison = analyse(folder)
    good = rows_of(comparison)["good"]
    assert good.misses == ("limits.max_fit_memory_gib",)
    assert good.not_compared.limits == ("max_fit_memory_gib",)
    assert good.total_usd == pytest.approx(1.0 + 1.0)  # each part at the price of its machine
    assert any("good was prepared on Slate 4" in found for found in comparison.findings)


def test_of_several_seeds_the_runs_own_machine_gives_times_and_all_give_the_score(tmp_path):
    arm = Arm("a", [right(TARGETS), right(TARGETS, [0, 1]), right(TARGETS)], fit_s=8)
    folder = write_run(tmp_path, TARGETS, [arm], seeds=(0, 1, 2), prices=BOTH, limits=LIMITS)
    slow = {"warm_walls_s": (9.0, 9.0), "hardware": THERE}
    first = next(trial for trial in folder.trials().values() if trial.seed == 0)
    elsewhere = on(THERE, first)
    serve = elsewhere.serve.model_copy(update=slow)
    folder.append(elsewhere.model_copy(update={"serve": serve}))
    comparison = analyse(folder)
    (row,) = comparison.arms
    assert row.p95_s < 1
    assert row.not_compared is None
    assert row.score.value == pytest.approx(1 - 2 / 360)
    assert row.seeds == (0, 1, 2)
    assert any("of 2 of 3 seeds" in found for found in comparison.findings)


def test_what_ran_on_nobody_knows_what_is_not_compared(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), prices=BOTH, limits=LIMITS)
    moved(folder, "good", fit=[None], serve=[None])
    good = rows_of(analyse(folder))["good"]
    assert good.machine is None
    assert good.total_usd is None
    assert "a machine that is not on record" in good.not_compared.why


def test_answers_that_bring_their_own_times_and_charges_are_compared_in_these(tmp_path):
    answers = [Prediction(text, wall_s=1.0, usd=0.002) for text in right(TARGETS)]
    plan = {"replays": True, "learns": "nothing", "labels_n": 0}
    vendor = Arm("vendor", [answers], plan=plan, machine=LAPTOP)
    limits = {**LIMITS, "max_usd_per_1k": 5}
    folder = write_run(tmp_path, TARGETS, [vendor], prices=BOTH, limits=limits)
    (row,) = analyse(folder).arms
    unmet = {check.key for check in row.checks if check.state != "met"}
    assert unmet == {"limits.max_serve_memory_gib", "limits.max_fit_memory_gib"}
    assert row.total_usd == pytest.approx(2.0)


def test_two_runs_on_two_machines_are_compared_in_score_alone(tmp_path):
    first = write_run(tmp_path / "1", TARGETS, cheap_and_good())
    second = two_machines(tmp_path / "2")
    lines = list(compared_lines(compare(first, second)))
    (said,) = [line for line in lines if "not comparable" in line]
    assert said.startswith("good: times and memory are not comparable: measured on Abacus 2")
    assert any(line.startswith("good: +0.0 points") for line in lines)
    assert any(line.startswith("cheap: p50 100 ms to 100 ms") for line in lines)


def test_machine_time_of_another_machine_is_in_the_total_and_not_in_the_order():
    traffic = {"requests_per_month": 100, "months": 10, "serving": "busy", "utilisation": 0.3}
    needs = {"knowledge_updates_per_month": 0, "model_changes_per_year": 0}
    terms = Terms(3.6, traffic, needs, {"usd_per_label": None, "usd_per_hour": None, "hours": {}})
    usage = Usage(
        "a", 10, 1, labels_n=0, needs_model=True, learns="weights",
        prepared_on=OtherMachine(36.0), served_on=OtherMachine(None),
    )  # fmt: skip
    costs = costs_of(usage, terms)
    assert costs.total("usd") is None  # serving has no price there
    assert costs.table().fitting_usd == pytest.approx(0.1)
    assert costs.total("s") == pytest.approx(1010)
    assert (costs.unit, costs.compared("s"), costs.compared("usd")) == (None, None, None)


def served(*hardware):
    trials = [SimpleNamespace(fit=None, serve=SimpleNamespace(hardware=one)) for one in hardware]
    header = SimpleNamespace(hardware=HERE)
    return SimpleNamespace(header=header, arms=[SimpleNamespace(trials=trials)])


def test_where_nodes_of_a_cluster_served_everything_most_of_them_are_what_is_compared():
    one, two = (THERE.model_copy(update={"node": name}) for name in ("10.0.0.1", "10.0.0.2"))
    other = HERE.model_copy(update={"node": "10.0.0.3"})
    assert reference_of(served(other, one, two)).machine_class == THERE.machine_class
    assert reference_of(served(one, two, HERE)) == HERE  # the newest invocation measured here
    assert reference_of(served(THERE)) == HERE
    assert reference_of(served()) == HERE
