"""Forgetting, robustness and the worst slice, from run folders made by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hand_made import Arm, right, write_run

from harness.analysis import ahead_in, analyse
from harness.analysis.scoring.paired import change_between
from harness.metrics import find
from harness.stats.intervals import tango
from harness.store.measured import Measured
from harness.store.records import LoadedModel, WorkerResult
from harness.store.run_folder import write_jsonl
from harness.types import ModelRef

TARGETS = ["yes", "no"] * 20
MODEL = ModelRef("small", "/models/small", sha256="ab")
TUNED = {"needs_model": True, "learns": "weights", "tunes": True}
OK = WorkerResult(status="ok")


def measured(folder, rows, name, result=OK, of="this probe", sample=()):
    folder.mkdir(parents=True, exist_ok=True)
    account = Measured(of=of, result=result, sample=sample)
    (folder / "measured.json").write_text(account.model_dump_json())
    write_jsonl(folder / name, rows)


def probed(bits, right_ones):
    """Ten passages of 8 bytes at so many bits a byte, and ten questions."""
    passages = [
        {"id": f"p{n}", "bytes": 8, "log_likelihoods": [-8 * bits * log(2)]} for n in range(10)
    ]
    questions = [
        {"id": f"q{n}", "right": 2, "log_likelihoods": [-3, -3, -1 if n < right_ones else -4, -2]}
        for n in range(10)
    ]
    return passages + questions


def run(path, *, seeds=(0,), answers=None, probe=OK, robustness=None, **more):
    """A run of one tuned arm whose record says how its facts were measured."""
    arm = Arm("tuned", answers or [right(TARGETS)] * len(seeds), plan=TUNED)
    folder = write_run(path, TARGETS, [arm], seeds=seeds, model=MODEL, **more)
    for record in list(folder.trials().values()):
        folder.append(record.model_copy(update={"probe": probe, "robustness": robustness}))
    return folder


def untuned(folder):
    return folder.untuned_folder(MODEL, "float32", "cpu")


def facts(folder):
    [row] = analyse(folder).arms
    return row.diagnostics


def test_what_is_forgotten_is_the_change_from_before_to_after(tmp_path):
    folder = run(tmp_path)
    [record] = folder.trials().values()
    measured(untuned(folder), probed(1.0, 8), "likelihoods.jsonl")
    fit = folder.fit_folder("tuned", record.fit_id)
    measured(fit / "probe", probed(1.5, 5), "likelihoods.jsonl")
    found = facts(folder).forgetting
    bits, share = found.bits_per_byte, found.choice_accuracy
    assert (bits.before, bits.after, bits.change) == pytest.approx((1.0, 1.5, 0.5))
    assert (bits.ci_low, bits.ci_high) == pytest.approx((0.5, 0.5))  # the same for every passage
    assert (share.before, share.after, share.change, share.n) == pytest.approx((0.8, 0.5, -0.3, 10))
    assert (share.ci_low, share.ci_high) == tango(0, 3, 10)  # none gained, 3 lost


def test_of_several_seeds_it_is_the_mean(tmp_path):
    folder = run(tmp_path, seeds=(0, 1))
    measured(untuned(folder), probed(1.0, 8), "likelihoods.jsonl")
    for record, bits in zip(folder.trials().values(), (1.2, 1.4), strict=True):
        fit = folder.fit_folder("tuned", record.fit_id)
        measured(fit / "probe", probed(bits, 8), "likelihoods.jsonl")
    assert facts(folder).forgetting.bits_per_byte.change == pytest.approx(0.3)


def test_a_model_that_is_served_in_other_numbers_says_so(tmp_path):
    four = WorkerResult(
        status="ok", loaded_models=(LoadedModel(name="small", dtype="4 bits, computed in float32"),)
    )
    before = WorkerResult(status="ok", loaded_models=(LoadedModel(name="small", dtype="float32"),))
    folder = run(tmp_path, probe=four)
    [record] = folder.trials().values()
    measured(untuned(folder), probed(1.0, 8), "likelihoods.jsonl", result=before)
    fit = folder.fit_folder("tuned", record.fit_id)
    measured(fit / "probe", probed(1.5, 5), "likelihoods.jsonl", result=four)
    assert facts(folder).forgetting.note == (
        "before in float32, after in 4 bits, computed in float32: the rounding is part of the"
        " change"
    )


@pytest.mark.parametrize(
    ("probe", "of", "why"),
    [
        (WorkerResult(status="skipped", error="gives no likelihoods"), "this probe", "gives no"),
        (WorkerResult(status="timeout", error="stopped after 1 minutes"), "this probe", "stopped"),
        (OK, "another probe", "the probe was another one"),
        (OK, None, "the untuned model's answers to the probe are missing"),
    ],
)
def test_what_could_not_be_measured_has_its_reason_and_fails_no_arm(tmp_path, probe, of, why):
    folder = run(tmp_path, probe=probe)
    [record] = folder.trials().values()
    fit = folder.fit_folder("tuned", record.fit_id)
    measured(fit / "probe", probed(1.5, 5), "likelihoods.jsonl")
    if of is not None:
        measured(untuned(folder), probed(1.0, 8), "likelihoods.jsonl", of=of)
    [row] = analyse(folder).arms
    assert (row.status, row.score.value) == ("ok", 1.0)
    assert why in row.diagnostics.forgetting.undefined
    assert row.diagnostics.forgetting.bits_per_byte is None


def test_older_runs_and_switched_off_facts_have_none(tmp_path):
    folder = run(tmp_path / "old", probe=None)
    assert facts(folder).forgetting is None
    assert facts(folder).robustness == ()
    off = run(tmp_path / "off", facts={"forgetting": False, "robustness": False})
    assert facts(off).forgetting is None


def test_a_perturbation_is_scored_on_its_sample_alone(tmp_path):
    wrong = right(TARGETS, [0, 39])
    folder = run(tmp_path, answers=[wrong], robustness=OK)
    [record] = folder.trials().values()
    trial = folder.trial_folder("tuned", record.fit_id, record.trial_id)
    sample = tuple(f"r{row}" for row in range(20))
    answers = [
        {"perturbation": "typos", "id": f"r{row}", "text": "maybe" if row < 6 else TARGETS[row]}
        for row in range(2, 20)  # of r0 and r1 they changed nothing
    ]
    measured(trial / "robustness", answers, "answers.jsonl", sample=sample)
    found = {one.name: one for one in facts(folder).robustness}
    typos = found["typos"]
    assert (typos.changed, typos.score.n, typos.score.metric) == (18, 20, "accuracy")
    # 19 of 20 are right as they are; r2 to r5 fall.
    assert (typos.score.before, typos.score.after) == pytest.approx((0.95, 0.75))
    assert typos.score.ci_low < typos.score.change < typos.score.ci_high < 0
    assert found["noise"].undefined == "changes none of these texts"
    assert found["reordered options"].undefined == "shows no list of options"


def test_where_no_answer_differs_the_interval_still_allows_for_one(tmp_path):
    folder = run(tmp_path, seeds=(0, 1), robustness=OK)
    for record in folder.trials().values():
        trial = folder.trial_folder("tuned", record.fit_id, record.trial_id)
        sample = tuple(f"r{row}" for row in range(20))
        answers = [{"perturbation": "noise", "id": "r0", "text": "yes"}]
        measured(trial / "robustness", answers, "answers.jsonl", sample=sample)
    noise = {one.name: one for one in facts(folder).robustness}["noise"]
    assert noise.score.change == 0
    edge = 1.96**2 / (20 + 1.96**2)  # Tango's interval without a differing item; the seeds agree
    assert (noise.score.ci_low, noise.score.ci_high) == pytest.approx((-edge, edge), abs=1e-4)


def test_where_no_resample_differs_the_rule_of_three_still_allows_for_one():
    of_arm = np.repeat(np.random.default_rng(0).random((1, 20, 1)), 2, axis=2)
    found = change_between(find("token_f1"), of_arm, of_arm)
    assert (found.change, found.ci_low, found.ci_high) == pytest.approx((0, -0.15, 0.15))


def sliced(path, regions, wrong, others=(), **task):
    truth = {"slices": [{"region": region} for region in regions]}
    arm = Arm("only", [right(TARGETS, wrong)])
    data = {"test": "test.jsonl", "slices": ["region"]}
    folder = write_run(path, TARGETS, [arm, *others], truth=truth, **task)
    header = folder.last_header()
    slices = {"data": {**header.task["data"], **data}}
    folder.append(header.model_copy(update={"task": header.task | slices}))
    return analyse(folder)


def test_the_worst_slice_is_named_among_those_that_are_large_enough(tmp_path):
    regions = ["north"] * 20 + ["south"] * 15 + ["isle"] * 5
    found = sliced(tmp_path, regions, wrong=[0, 21, 22, 23, 35, 36, 37, 38, 39])
    [row] = found.arms
    assert (row.worst_slice.value, row.worst_slice.score.n) == ("south", 15)
    [said] = [finding for finding in found.findings if "does worst" in finding]
    assert said.startswith("only does worst where region is 'south': accuracy 0.800 (95% interval")
    assert "the lowest of 2 slices of at least 10 rows" in said
    assert "highest score" not in said


def test_who_does_better_than_the_chosen_arm_where_it_does_worst_is_named(tmp_path):
    regions = ["north"] * 20 + ["south"] * 20
    other = Arm("other", [right(TARGETS, wrong=[*range(18), 20])])
    found = sliced(tmp_path, regions, wrong=[20, 21, 22, 23], others=[other])
    only, other = found.arms
    assert found.recommendation.choice == "only"
    [said] = [finding for finding in found.findings if "does worst" in finding]
    assert "The highest score on those rows is that of other: 0.950 (" in said
    north, south = only.slices
    assert ahead_in(found.arms, only, north) is None
    assert ahead_in(found.arms, other, other.slices[0]) == ("only", north.score)
    assert ahead_in(found.arms, only, south) == ("other", other.slices[1].score)


def test_a_lone_large_slice_is_not_the_worst_of_anything(tmp_path):
    found = sliced(tmp_path, ["north"] * 35 + ["isle"] * 5, wrong=[0])
    assert found.arms[0].worst_slice is None
    assert not any("does worst" in finding for finding in found.findings)


def test_the_worst_slice_can_be_switched_off(tmp_path):
    regions = ["north"] * 20 + ["south"] * 20
    found = sliced(tmp_path, regions, wrong=[0], facts={"worst_slice": False})
    assert found.arms[0].worst_slice is None
    assert len(found.arms[0].slices) == 2
