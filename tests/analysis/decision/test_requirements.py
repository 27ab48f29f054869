"""Limits and needs of the task, each held against one arm."""

from __future__ import annotations

import pytest

from harness.analysis.decision.requirements import limit_checks, need_checks
from harness.analysis.performance.memory import Peaks
from harness.types import Endpoint, ModelRef

NO_LIMITS = {
    "min_score": None,
    "max_p95_ms": None,
    "max_serve_memory_gib": None,
    "max_fit_memory_gib": None,
    "max_usd_per_1k": None,
}
NO_PEAKS = Peaks(None), Peaks(None)


def test_a_limit_on_quality_is_met_on_the_mark_and_never_dropped():
    floor = {**NO_LIMITS, "min_score": 0.85}
    on_it, below = (
        next(limit_checks(floor, (v, 0.8, 0.9), None, *NO_PEAKS, None)) for v in (0.85, 0.8)
    )
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
    (check,) = limit_checks({**NO_LIMITS, limit: 1.0}, (0.9, None, None), None, *NO_PEAKS, None)
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
    limits = {**NO_LIMITS, "max_p95_ms": 400}
    (check,) = limit_checks(limits, (0.9, None, None), interval, *NO_PEAKS, None)
    assert (check.state, check.borderline) == (state, borderline)


def test_memory_is_held_against_gibibytes():
    limits = {**NO_LIMITS, "max_serve_memory_gib": 1, "max_fit_memory_gib": 1}
    peaks = Peaks(2**30), Peaks(3 * 2**29)
    serve, fit = limit_checks(limits, (0.9, None, None), None, *peaks, None)
    assert (serve.state, fit.state, fit.excess) == ("met", "missed", pytest.approx(0.5))


def test_a_limit_on_memory_is_on_the_gpus_where_one_was_used_and_says_so():
    limits = {**NO_LIMITS, "max_serve_memory_gib": 1, "max_fit_memory_gib": 1}
    peaks = Peaks(ram_bytes=2**40, gpu_bytes=2**29), Peaks(ram_bytes=2**29, gpu_bytes=None)
    serve, fit = limit_checks(limits, (0.9, None, None), None, *peaks, None)
    assert (serve.state, fit.state) == ("met", "met")
    assert serve.text == "serving memory on the GPU 512 MiB against at most 1.00 GiB"
    assert fit.text == "fitting memory 512 MiB against at most 1.00 GiB"


def test_a_need_that_is_not_offered_is_missed_and_one_that_is_not_asked_for_is_no_check():
    needs = {"per_user_data": False, "citations": True, "offline": True}
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
def test_a_licence_is_held_against_those_that_are_allowed(licence, allowed, state):
    needs = {"per_user_data": False, "citations": False, "offline": False, "licence": allowed}
    (check,) = need_checks(needs, (), [ModelRef("base", "/x", licence=licence)])
    assert (check.key, check.state) == ("needs.licence", state)
    assert "base" in check.text
    assert " or ".join(allowed) in check.text
    assert not list(need_checks(needs, (), ()))  # an arm without a model needs no licence
    assert not list(need_checks({**needs, "licence": None}, (), [ModelRef("base", "/x")]))


@pytest.mark.parametrize(("hosted", "remedy"), [(None, "README.md"), (HOSTED, "write `licence:`")])
def test_a_licence_that_is_not_known_says_what_to_supply(hosted, remedy):
    needs = {"per_user_data": False, "citations": False, "offline": False, "licence": ["mit"]}
    (check,) = need_checks(needs, (), [ModelRef("base", "x", hosted=hosted)])
    assert remedy in check.text


@pytest.mark.parametrize(
    ("licences", "state", "told"),
    [
        (("mit", "Apache-2.0"), "met", ("m0 is mit", "m1 is Apache-2.0")),
        (("mit", "cc-by-nc-4.0"), "missed", ("m1 is cc-by-nc-4.0",)),
        (("mit", None), "unknown", ("m1 is not known",)),
        ((None, "cc-by-nc-4.0"), "missed", ("m0 is not known", "m1 is cc-by-nc-4.0")),
    ],
)
def test_every_model_of_an_arm_is_held_against_the_licences(licences, state, told):
    models = [ModelRef(f"m{n}", "/x", licence=licence) for n, licence in enumerate(licences)]
    needs = dict.fromkeys(("per_user_data", "citations", "offline"), False)
    (check,) = need_checks({**needs, "licence": ["mit", "apache-2.0"]}, (), models)
    assert check.state == state
    said = check.text.removesuffix(" (needs.licence)").split("; ")
    for words, text in zip(told, said, strict=True):
        assert text.startswith(f"the licence of {words}, needed is mit or apache-2.0")
