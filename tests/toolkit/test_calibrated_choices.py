"""What a model adds to some labels is found and taken out: known answers, and no harm elsewhere."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from harness.toolkit.calibration import (
    Calibration,
    equal_shares,
    match_answers,
    match_shares,
    shares_of,
)
from harness.types import Prediction

LABELS = ("ham", "spam", "eggs")
LIKING = {"ham": 0.0, "spam": 2.5, "eggs": -1.5}
"""What the made-up model adds to labels whatever it is asked."""


def world(shares, n=4000, told=2.0, seed=0):
    """Rows with their true log posteriors: one feature a label, `told` apart where it is right."""
    draw = np.random.default_rng(seed)
    answers = draw.choice(len(shares), size=n, p=shares)
    features = draw.normal(size=(n, len(shares)))
    features[np.arange(n), answers] += told
    # Of unit normals with means 0 and `told`: log p(k | x) = log share + told · x_k + constant.
    scores = np.log(shares) + told * features
    return answers, scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def answered(scores, labels=LABELS):
    return [
        Prediction(labels[row.argmax()], dict(zip(labels, map(float, row), strict=True)))
        for row in scores
    ]


def biased(scores):
    return scores + np.array([LIKING[label] for label in LABELS])


def accuracy(predictions, answers, labels=LABELS):
    pairs = zip(predictions, answers, strict=True)
    return np.mean([given.text == labels[answer] for given, answer in pairs])


SHARES = {
    "balanced": (1 / 3, 1 / 3, 1 / 3),
    "unbalanced": (0.87, 0.10, 0.03),
}


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_known_liking_is_found_from_inputs_and_shares(shares, temperature):
    """The liking comes back as minus the bias, up to a number that is the same for all labels."""
    answers, scores = world(shares)
    given = answered(biased(scores) * temperature)
    right = [LABELS[answer] for answer in answers]
    if temperature == 1.0:
        found = match_shares(given, shares_of(right, equal_shares(LABELS)))
        for label in LABELS:
            assert found.bias[label] - found.bias["ham"] == pytest.approx(
                LIKING["ham"] - LIKING[label], abs=0.15
            )
    else:
        found = match_answers(given, right)
        assert found.temperature == pytest.approx(temperature, rel=0.1)
    served = [found.applied(one) for one in given]
    assert accuracy(served, answers) >= accuracy(answered(scores), answers) - 0.01


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_what_has_no_liking_is_left_alone(shares):
    """87 to 13 (sms_spam's), fitted on 100 rows: calibration must not hurt a sound model."""
    two = np.array([shares[0], 1 - shares[0]])
    _, sample = world(two, n=100, seed=1)
    answers, scores = world(two, n=4000, seed=2)
    labels = LABELS[:2]
    given, right = answered(sample, labels), [labels[a] for a in world(two, n=100, seed=1)[0]]
    plain = answered(scores, labels)
    for found in (
        match_shares(given, shares_of(right, equal_shares(labels))),
        match_answers(given, right),
    ):
        served = [found.applied(one) for one in plain]
        assert accuracy(served, answers, labels) >= accuracy(plain, answers, labels) - 0.01


def test_equal_shares_would_spoil_an_unbalanced_task():
    """Why the labels' own shares are matched, not equal ones."""
    answers, scores = world((0.87, 0.10, 0.03), told=1.0)
    plain = answered(scores)
    spoilt = match_shares(plain, equal_shares(LABELS))
    served = [spoilt.applied(one) for one in plain]
    assert accuracy(served, answers) < accuracy(plain, answers) - 0.1


def test_each_labels_mean_probability_becomes_its_share():
    shares = {"ham": 0.5, "spam": 0.3, "eggs": 0.2}
    given = answered(biased(world((0.2, 0.2, 0.6), n=50)[1]))
    found = match_shares(given, shares)
    served = [found.applied(one).label_logprobs for one in given]
    for label, share in shares.items():
        assert np.mean([exp(row[label]) for row in served]) == pytest.approx(share, abs=1e-5)
        assert sum(exp(value) for value in served[0].values()) == pytest.approx(1)


def test_a_label_without_rows_is_improbable_and_can_still_be_chosen():
    shares = shares_of(["ham"] * 9, equal_shares(("ham", "eggs")))
    assert shares == {"ham": 0.95, "eggs": 0.05}
    given = [Prediction("ham", {"ham": log(0.5), "eggs": log(0.5)})] * 9
    found = match_shares(given, shares)
    sure = Prediction("eggs", {"ham": log(1e-4), "eggs": log(1 - 1e-4)})
    assert found.applied(sure).text == "eggs"


def test_151_labels_and_two_rows_each_give_finite_numbers():
    labels = [f"label {number}" for number in range(151)]
    draw = np.random.default_rng(0)
    scores = draw.normal(scale=30, size=(302, 151))
    scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    right = labels * 2
    for found in (
        match_shares(answered(scores, labels), shares_of(right, equal_shares(labels))),
        match_answers(answered(scores, labels), right),
    ):
        assert np.isfinite([*found.bias.values(), found.temperature]).all()


def test_nothing_to_look_at_changes_nothing(tmp_path):
    failed = [Prediction("", error="too long")]
    for given in ([], failed):
        assert match_shares(given, equal_shares(LABELS)) == Calibration()
        assert match_answers(given, []) == Calibration()
    assert Calibration().applied(failed[0]) == failed[0]
    text = Prediction("no labels")
    assert Calibration({"ham": 1.0}).applied(text) == text


def test_it_is_kept_as_json(tmp_path):
    found = Calibration({"größe": 0.25, "b": -0.25}, 1.5)
    found.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == found


def test_a_label_that_is_as_it_was_keeps_its_answer():
    given = Prediction("spam", {"ham": log(0.4), "spam": log(0.6)}, prompt_tokens=7)
    assert Calibration().applied(given).text == "spam"
    moved = Calibration({"ham": 1.0}).applied(given)
    assert (moved.text, moved.prompt_tokens) == ("ham", 7)
