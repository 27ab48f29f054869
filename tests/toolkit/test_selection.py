"""Settings are chosen on validation rows, and the record says how."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from small_world import accuracy_error

from harness.toolkit.selection import best_on_validation
from harness.types import Example, Prediction, Query, Split

ROWS = Split("validation", tuple(Example(Query(str(n), "x"), ("a",)) for n in range(4)))
NONE = Split("validation", ())


class World:
    """A context that keeps notes; its metric is the share of right answers."""

    def __init__(self):
        self.noted = []
        self.context = SimpleNamespace(
            metric=self.metric, lead_error=accuracy_error, note=self.note
        )

    def metric(self, predictions, examples):
        pairs = zip(predictions, examples, strict=True)
        return sum(p.text in e.targets for p, e in pairs) / len(examples)

    def note(self, kind, text):
        self.noted.append((kind, text))


def chosen(world, candidates, rows):
    """Choose among candidates, each of which answers so many rows rightly."""
    asked = []

    def predict(right):
        asked.append(right)
        return [Prediction("a" if n < right else "b") for n in range(len(rows))]

    return best_on_validation(world.context, "k", candidates, predict, rows), asked


def test_the_best_is_taken_and_the_scores_are_noted():
    world = World()
    assert chosen(world, {"few": 1, "many": 3, "all": 2}, ROWS) == (3, [1, 3, 2])
    said = "k = many on 4 validation rows (few: 0.250, many: 0.750, all: 0.500)"
    assert world.noted == [("chosen", said)]


def test_of_equals_the_first_is_taken():
    best, _ = chosen(World(), {"low": 0, "first": 2, "second": 2.0}, ROWS)
    assert isinstance(best, int)


@pytest.mark.parametrize("rows", [ROWS, NONE])
def test_one_candidate_is_taken_unseen_without_a_word(rows):
    world = World()
    assert chosen(world, {"only": 3}, rows) == (3, [])
    assert world.noted == []


def test_without_rows_the_first_is_taken_and_that_is_noted():
    world = World()
    assert chosen(world, {"first": 1, "second": 3}, NONE) == (1, [])
    said = "k = first: there are no validation rows to choose on"
    assert world.noted == [("chosen", said)]


def test_the_cheapest_stays_unless_the_lead_is_larger_than_its_standard_error():
    """One row of four ahead: 0.25, with a standard error of 0.25; two: 0.5, with one of 0.29."""

    def taken(right):
        world = World()
        best = best_on_validation(
            world.context,
            "k",
            {"1": 1, "3": right},
            lambda right: [Prediction("a" if n < right else "b") for n in range(4)],
            ROWS,
            cheapest_first=True,
        )
        return best, world.noted[0][1]

    assert taken(2) == (
        1,
        "k = 1 on 4 validation rows (1: 0.250, 3: 0.500): 3 leads by no more than a standard error"
        " (0.250)",
    )
    assert taken(3) == (3, "k = 3 on 4 validation rows (1: 0.250, 3: 0.750)")
