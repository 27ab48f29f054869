"""What a plan ends with, by known answers: totals, the best machines, and which are shown."""

from __future__ import annotations

import pytest

from harness.cli.plan_total import about, closing_lines, named
from harness.errors import UserError
from harness.plan import Outlook, Place
from harness.store.records import Forecast


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (14 * 60, 32 * 60, "about 14 to 32 minutes"),
        (3, 45, "about 3 to 45 seconds"),
        (0.1, 0.4, "less than a second"),
        (0.2, 30, "less than 30 seconds"),
        (90, 150, "about 1.5 to 2.5 minutes"),
        (125, 130, "about 2 minutes"),
        (3600 * 11, 3600 * 24, "about 11 to 24 hours"),
        (0, 1, "about 1 second"),
    ],
)
def test_a_time_is_told_in_one_unit(low, high, words):
    assert about(low, high).replace("less than 1 second", "about 1 second") == words


def took(fit, serve, usd=None, fits=True):
    return Forecast(
        machine="m", fit_wall_low_s=fit / 2, fit_wall_s=fit, serve_wall_low_s=serve / 2,
        serve_wall_s=serve, fit_usd=usd, serve_usd=usd and 0.0, fits=fits,
    )  # fmt: skip


def place(name, usd=1.0):
    return Place(name, "cpu", "float32", 2**34, 1e12, usd, 2**34)


def outlook(here, elsewhere, names, seeds):
    return Outlook(
        here=here,
        elsewhere=elsewhere,
        place=place("this machine", None),
        others=[place(name) for name in names],
        seeds=seeds,
        priced=True,
    )


def test_the_total_counts_every_seed_and_names_what_is_not_in_it():
    here = {"a": took(60, 60), "b": took(600, 0), "dark": Forecast(machine="m", fits=True),
            "huge": took(1, 1, fits=False)}  # fmt: skip
    found = outlook(here, {arm: [] for arm in here}, [], {"a": [0], "b": [0, 1, 2]})
    assert [*closing_lines(found, (), [])] == [
        "In all about 16 to 32 minutes until the verdict, without dark (time unknown), huge (will"
        " not fit)."
    ]


def test_the_cheapest_and_the_fastest_machine_on_which_all_is_known_are_named():
    arms = {
        "a": [took(60, 60, 0.5), took(6, 6, 2.0), Forecast(machine="m"), took(1, 1, 0.1, False)]
    }
    found = outlook({"a": took(60, 60)}, arms, ["slow", "fast", "dark", "small"], {})
    lines = [*closing_lines(found, (), [])]
    assert lines[1:] == [
        "Cheapest priced machine: slow: about 1 to 2 minutes, $0.50 at the most",
        "Fastest priced machine: fast: about 6 to 12 seconds, $2.00 at the most",
        "`--machine NAME` shows one, `--all` each of the 4 machines of the price file.",
    ]
    assert [*closing_lines(found, (), [0, 1, 2, 3])][1:] == lines[1:3]


def test_where_no_machine_is_known_to_do_all_it_is_said_why():
    arms = {"a": [Forecast(machine="m"), took(1, 1, 0.1, fits=False)]}
    lines = [*closing_lines(outlook({"a": took(1, 1)}, arms, ["dark", "small"], {}), (), [])]
    assert lines[1] == (
        "Of 2 priced machines none is known to run all arms: on 1 an arm will not fit, on 1 times"
        " or prices are not stated."
    )


def test_a_machine_is_found_by_a_part_of_its_name():
    found = outlook({}, {}, ["AWS g5 (A10G)", "Azure A100", "Lambda A100"], {})
    assert named(found, "a100", every=False) == [1, 2]
    assert named(found, None, every=False) == []
    assert named(found, None, every=True) == [0, 1, 2]
    with pytest.raises(UserError, match="no machine of the price file is called 'H200'"):
        named(found, "H200", every=False)
