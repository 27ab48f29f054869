"""Which arms a quick run takes: the quickest that are forecast to be done together."""

import pytest

from harness.errors import UserError
from harness.plan import Outlook, quick_choice
from harness.store.records import Forecast


def outlook(**halves):
    """An outlook in which each arm takes (low, high) seconds in all; None: not known."""
    here = {}
    for arm, span in halves.items():
        low, high = span or (None, None)
        serve = None if high is None else 0.0
        here[arm] = Forecast(
            machine="here",
            fit_wall_low_s=low,
            fit_wall_s=high,
            serve_wall_low_s=serve,
            serve_wall_s=serve,
        )
    return Outlook(here, {}, place=None)


def test_the_quickest_arms_are_taken_while_the_middle_of_their_forecasts_fits():
    found = quick_choice(outlook(slow=(60, 180), rule=(0, 0), tuned=(300, 900), words=(20, 60)))
    assert found.arms == ("slow", "rule", "words")  # 120 + 0 + 40 of 180, in the task's order
    assert list(found.left_out) == ["tuned"]
    assert list(found.said()) == ["tuned is left out by --quick (forecast: 5.00 min to 15.0 min)"]


def test_a_slower_arm_does_not_keep_a_quicker_one_out():
    assert quick_choice(outlook(slow=(170, 190), words=(20, 60))).arms == ("words",)


def test_an_arm_without_a_forecast_is_left_out_and_said_so():
    found = quick_choice(outlook(mine=None, rule=(0, 0)))
    assert found.arms == ("rule",)
    assert list(found.said()) == ["mine is left out by --quick (no forecast)"]


def test_an_arm_that_will_not_fit_is_left_out():
    found = outlook(large=(1, 2), rule=(0, 0))
    large = found.here["large"].model_copy(update={"fits": False})
    choice = quick_choice(Outlook({**found.here, "large": large}, {}, place=None))
    assert choice.arms == ("rule",)
    assert "it is not expected to fit" in next(choice.said())


def test_where_nothing_fits_the_error_says_what_to_do():
    with pytest.raises(UserError, match="three minutes → run without --quick"):
        quick_choice(outlook(tuned=(300, 900)))
