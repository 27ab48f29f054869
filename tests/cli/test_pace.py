"""Progress by known answers: what is left, what share is done, and the words for each width."""

from __future__ import annotations

import pytest

from harness.cli.pace import Moment, Pace, UnderWay, progress_line, share_done, total_line
from harness.store.records import Forecast


def forecast(fit, serve):
    return Forecast(
        machine="this machine",
        fit_wall_low_s=fit[0],
        fit_wall_s=fit[1],
        serve_wall_low_s=serve[0],
        serve_wall_s=serve[1],
    )


QUICK, SLOW = forecast((1, 2), (3, 4)), forecast((60, 240), (30, 60))


@pytest.fixture
def pace():
    found = Pace()
    found.expect({"quick": QUICK, "slow": SLOW}, {"quick": 1, "slow": 3})
    return found


def test_what_is_left_is_what_is_under_way_and_all_that_follows(pace):
    assert pace.left_s([UnderWay("quick", "fit", 0)]) == (1 + 3 + 3 * 90, 2 + 4 + 3 * 300)
    assert pace.left_s([UnderWay("quick", "fit", 1.5)]) == (3 + 3 * 90, 0.5 + 4 + 3 * 300)
    assert pace.left_s([UnderWay("quick", "serve", 10)]) == (
        3 * 90,
        3 * 300,
    )  # longer than was forecast
    pace.ended("quick")
    assert pace.left_s([UnderWay("slow", "fit", 60)]) == (30 + 2 * 90, 180 + 60 + 2 * 300)
    for _ in range(3):
        pace.ended("slow")
    assert pace.left_s([UnderWay("slow", "diagnostics", 5)]) == (0, 0)


def test_of_several_at_once_preparation_is_shared_out_and_serving_is_not(pace):
    both = [UnderWay("slow", "fit", 10), UnderWay("slow", "serve", 0)]  # the second waits for it
    low = (50 / 2 + 30) + 30 + (60 / 2 + 30) + (1 / 2 + 3)
    high = (230 / 2 + 60) + 60 + (240 / 2 + 60) + (2 / 2 + 4)
    assert pace.left_s(both, at_once=2) == (low, high)


def test_an_arm_of_unknown_time_makes_what_is_left_unknown_until_it_is_done(pace):
    pace.expect({"quick": QUICK, "dark": Forecast(machine="x")}, {"quick": 1, "dark": 1})
    assert pace.left_s([UnderWay("quick", "fit", 0)]) is None
    pace.ended("dark")
    assert pace.left_s([UnderWay("quick", "fit", 0)]) == (4, 6)


def test_the_share_is_of_time():
    assert share_done(10, (20, 40)) == pytest.approx(0.25)
    assert share_done(10, (0, 0)) == 1
    assert share_done(0, (0, 0)) is None
    assert share_done(10, None) is None


def test_the_best_score_stays(pace):
    for arm, score in (("a", 0.2), ("b", 0.6), ("c", 0.4)):
        pace.scored(arm, score)
    assert pace.best == ("b", 0.6)


NOW = Moment(
    place="[3/12]",
    arm="lora_upper (seed 1)",
    doing="loading, timing, answering",
    elapsed_s=72,
    half_s=(100, 300),
    share=0.41,
    left=(840, 1920),
    best=("tfidf", 0.6893),
)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            120,
            "[3/12] lora_upper (seed 1): loading, timing, answering, 72.0 s · 41% done"
            " · 14–32 min left · best so far tfidf 0.689",
        ),
        (
            100,
            "[3/12] lora_upper (seed 1), 72.0 s · 41% done · 14–32 min left"
            " · best so far tfidf 0.689",
        ),
        (80, "[3/12] lora_upper (seed 1), 72.0 s · 41% · 14–32 min left · best 0.689"),
        (62, "[3/12] lora_upper (seed 1) · 41% · 14–32 min left · best 0.689"),
        (60, "[3/12] lora_upper (seed 1) · 41% · 14–32 min left"),
        (40, "[3/12] lora_upper (seed 1) · 41%"),
        (20, "[3/12] lora_upper (seed 1)"),
        (
            200,
            "[3/12] lora_upper (seed 1): loading, timing, answering, 72.0 s of 2–5 min · 41% done"
            " · 14–32 min left · best so far tfidf 0.689",
        ),
    ],
)
def test_a_line_has_as_many_words_as_a_screen_takes(width, line):
    assert progress_line(NOW, width) == line


def test_what_is_not_known_is_left_out():
    now = Moment("[1/2]", "a", "preparing", 3.0, None, None, None, None)
    assert progress_line(now, 80) == "[1/2] a: preparing, 3.00 s"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "2 trials at once · 41% done · 14–32 min left · best so far tfidf 0.689"),
        (60, "2 trials at once · 41% done · 14–32 min left · best 0.689"),
        (40, "2 trials at once · 14–32 min left"),
        (10, "2 trials at once"),
    ],
)
def test_above_several_trials_stands_what_is_left_of_all(width, line):
    assert total_line(2, NOW, width) == line
