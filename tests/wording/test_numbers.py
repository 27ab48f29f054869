"""Numbers as text: three digits that matter, units a person would choose, – for not measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wording import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (3.14159, "3.14"),
        (31.4159, "31.4"),
        (314.159, "314"),
        (31415.9, "31,416"),
        (0.000314159, "0.000314"),
        (-2.5, "-2.50"),
        (100, "100"),
    ],
)
def test_three_significant_digits(value, text):
    assert numbers.significant(value) == text


@given(st.floats(1e-9, 1e12), st.sampled_from([1, -1]))
def test_significant_is_never_off_by_more_than_half_its_last_digit(value, sign):
    read = float(numbers.significant(sign * value).replace(",", ""))
    assert read == pytest.approx(sign * value, rel=0.005)


@pytest.mark.parametrize(
    ("joules", "text"), [(0.5, "0.500 J"), (250, "250 J"), (4_200, "4.20 kJ"), (3.6e6, "3.60 MJ")]
)
def test_energies_in_joules(joules, text):
    assert numbers.energy(joules) == text


@pytest.mark.parametrize(
    ("p", "text"), [(1.0, "p = 1.000"), (0.04567, "p = 0.046"), (2e-9, "p < 0.001")]
)
def test_small_p_values_are_not_given_exactly(p, text):
    assert numbers.p_value(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2e-5, "20 µs"),
        (0.0123, "12.3 ms"),
        (0.5, "500 ms"),
        (1, "1.00 s"),
        (96, "96.0 s"),
        (150, "2.50 min"),
        (9000, "2.50 h"),
    ],
)
def test_durations_take_the_unit_a_person_would(seconds, text):
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.50 KiB"),
        (19_000_000, "18.1 MiB"),
        (5 * 2**30, "5.00 GiB"),
        (3000 * 2**30, "3,000 GiB"),
    ],
)
def test_sizes_are_binary(size_bytes, text):
    assert numbers.size(size_bytes) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (0.00123, "$0.0012"),
        (0.5, "$0.50"),
        (41, "$41.00"),
        (99.5, "$99.50"),
        (1234.5, "$1,234"),
        (1e7, "$10,000,000"),
    ],
)
def test_money_shows_cents_where_they_matter(value, text):
    assert numbers.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05, "5.0 points"), (-0.012, "-1.2 points"), (-0.0001, "0.0 points"), (0, "0.0 points")],
)
def test_points_are_hundredths_and_never_a_negative_nothing(value, text):
    assert numbers.points(value) == text


def test_scores_counts_rates_and_intervals():
    assert numbers.score(0.91249) == "0.912"
    assert numbers.interval(0.87, 0.94) == "0.870 to 0.940"
    assert numbers.count(12345.6) == "12,346"
    assert numbers.rate(31) == "31.0/s"


@pytest.mark.parametrize("name", ["score", "duration", "size", "usd", "count", "rate"])
def test_what_was_not_measured_is_a_dash_and_not_nought(name):
    assert getattr(numbers, name)(None) == "–"
    assert getattr(numbers, name)(0) != "–"


@pytest.mark.parametrize(("low", "high"), [(None, None), (0.1, None), (None, 0.1)])
def test_an_interval_with_an_unknown_end_is_a_dash(low, high):
    assert numbers.interval(low, high) == "–"


@given(st.floats(0, 1e15), st.sampled_from(["score", "duration", "usd", "count", "rate"]))
def test_any_measured_value_has_a_text(value, name):
    text = getattr(numbers, name)(value)
    assert any(character.isdigit() for character in text)
    assert "e" not in text.replace("ms", "")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (0.004, "less than 1%"),
        (0.341, "34%"),
        (0.999, "more than 99%"),
        (1.0, "100%"),
    ],
)
def test_a_share_reads_as_none_or_all_only_if_it_is(share, text):
    assert numbers.percent(share) == text
