"""Limits and needs of the task, each checked against one arm."""

from __future__ import annotations

import pytest

from harness.analysis.decision.requirements import Measured, limit_checks, need_checks
from harness.analysis.performance.measured import Peaks
from harness.analysis.recorded_task import Limits, Needs
from harness.types import Endpoint, ModelRef

SCORE = (0.9, None, None)


def test_a_limit_on_quality_is_met_on_the_mark_and_never_dropped():
    floor = Limits(min_score=0.85)
    on_it, below = (next(limit_checks(floor, Measured((v, 0.8, 0.9)))) for v in (0.85, 0.8))
    assert (on_it.state, on_it.borderline) == ("met", True)
    assert (below.state, below.excess) == ("missed", pytest.approx(0.05 / 0.85))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("max_p95_ms", "give `wall_s`"),
        ("max_serve_memory_gib", "not measured"),
        ("max_fit_memory_gib", "not measured"),
        ("max_usd_per_1k", "give a price row"),
    ],
)
def test_what_is_not_known_meets_no_limit(limit, words):
    (check,) = limit_checks(Limits(**{limit: 1.0}), Measured(SCORE))
    assert check.key == f"limits.{limit}"
    assert (check.state, check.excess) == ("unknown", None)
    assert words in check.text


@pytest.mark.parametrize(
    ("interval", "state", "borderline"),
    [
        ((0.3, 0.2, 0.35), "met", False),
        ((0.39, 0.3, 0.45), "met", True),
        ((0.41, 0.3, 0.45), "missed", True),
        ((0.6, 0.5, 0.7), "missed", False),
    ],
)
def test_a_limit_inside_the_interval_is_borderline(interval, state, borderline):
    (check,) = limit_checks(Limits(max_p95_ms=400), Measured(SCORE, interval))
    assert (check.state, check.borderline) == (state, borderline)


def test_a_limit_on_memory_is_in_gibibytes():
    limits = Limits(max_serve_memory_gib=1, max_fit_memory_gib=1)
    peaks = Peaks(2**30), Peaks(3 * 2**29)
    serve, fit = limit_checks(limits, Measured(SCORE, None, *peaks))
    assert (serve.state, fit.state, fit.excess) == ("met", "missed", pytest.approx(0.5))


def test_a_limit_on_memory_is_on_the_gpus_where_one_was_used_and_says_so():
    limits = Limits(max_serve_memory_gib=1, max_fit_memory_gib=1)
    peaks = Peaks(ram_bytes=2**40, gpu_bytes=2**29), Peaks(ram_bytes=2**29, gpu_bytes=None)
    serve, fit = limit_checks(limits, Measured(SCORE, None, *peaks))
    assert (serve.state, fit.state) == ("met", "met")
    assert serve.text == "serving memory on the GPU 512 MiB (at most 1.00 GiB allowed)"
    assert fit.text == "preparation memory 512 MiB (at most 1.00 GiB allowed)"


def test_a_need_that_is_not_offered_is_missed_and_one_that_is_not_asked_for_is_no_check():
    needs = Needs(citations=True, offline=True)
    checks = {check.key: check.state for check in need_checks(needs, ("offline",), ())}
    assert checks == {"needs.citations": "missed", "needs.offline": "met"}


HOSTED = Endpoint("openai")


@pytest.mark.parametrize(
    ("licence", "allowed", "state"),
    [
        ("apache-2.0", ["mit", "apache-2.0"], "met"),
        ("Apache-2.0", ["apache-2.0"], "met"),
        ("llama3", ["apache-2.0"], "missed"),
        (None, ["apache-2.0"], "unknown"),
    ],
)
def test_a_licence_is_checked_against_those_that_are_allowed(licence, allowed, state):
    needs = Needs(licence=allowed)
    (check,) = need_checks(needs, (), [ModelRef("base", "/x", licence=licence)])
    assert (check.key, check.state) == ("needs.licence", state)
    assert "base" in check.text
    assert " or ".join(allowed) in check.text
    assert not list(need_checks(needs, (), ()))  # an arm without a model needs no licence
    assert not list(need_checks(Needs(), (), [ModelRef("base", "/x")]))


@pytest.mark.parametrize(("hosted", "remedy"), [(None, "README.md"), (HOSTED, "write `licence:`")])
def test_a_licence_that_is_not_known_says_what_to_supply(hosted, remedy):
    (check,) = need_checks(Needs(licence=["mit"]), (), [ModelRef("base", "x", hosted=hosted)])
    assert remedy in check.text


@pytest.mark.parametrize(
    ("licences", "state", "named"),
    [
        (("mit", "Apache-2.0"), "met", ("m0 is mit", "m1 is Apache-2.0")),
        (("mit", "cc-by-nc-4.0"), "missed", ("m1 is cc-by-nc-4.0",)),
        (("mit", None), "unknown", ("m1 is unknown",)),
        ((None, "cc-by-nc-4.0"), "missed", ("m0 is unknown", "m1 is cc-by-nc-4.0")),
    ],
)
def test_every_model_of_an_arm_is_checked(licences, state, named):
    models = [ModelRef(f"m{n}", "/x", licence=licence) for n, licence in enumerate(licences)]
    (check,) = need_checks(Needs(licence=["mit", "apache-2.0"]), (), models)
    assert check.state == state
    said = check.text.removesuffix(" (needs.licence)").split("; ")
    for words, text in zip(named, said, strict=True):
        assert text.startswith(f"the licence of {words}, and the task needs mit or apache-2.0")
