"""The vote of the nearest rows, and how sure it is."""

from __future__ import annotations

from math import exp

import pytest

from harness.types import Example, Query
from strategies.nearest import elected


def near(*answers):
    return [(Example(Query(str(n), "x"), (label,)), cosine) for n, (label, cosine) in answers]


def test_cosines_are_votes_and_their_shares_probabilities():
    found = elected(near(*enumerate([("sky", 0.9), ("sea", 0.5), ("sea", 0.6)])))
    assert found.text == "sea"
    shares = {label: exp(value) for label, value in found.label_logprobs.items()}
    assert shares == pytest.approx({"sky": 0.45, "sea": 0.55})


def test_one_voter_alone_claims_no_certainty():
    found = elected(near(*enumerate([("sky", 0.9)])))
    assert (found.text, found.label_logprobs) == ("sky", None)


def test_nobody_elects_nothing():
    assert elected([]).text == ""
