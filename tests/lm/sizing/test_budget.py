"""Memory as a budget: what fits is found beforehand, and halved when it did not."""

from __future__ import annotations

import psutil
import pytest

from harness.lm.sizing.budget import FEWEST_TOKENS, MOST_TOKENS, RowLimit, row_limit

pytestmark = pytest.mark.torch


def test_a_small_budget_means_few_tokens_and_a_note():
    notes = []
    used = psutil.Process().memory_info().rss
    limit = row_limit("cpu", 2**20, used + 200 * 2**20, lambda *words: notes.append(words))
    assert 100 < limit.tokens <= 160  # four fifths of 200 MiB at 1 MiB a token, less what grew
    assert notes[0][0] == "memory"
    assert f"{limit.tokens} tokens" in notes[0][1]


def test_a_large_budget_is_not_spent_for_nothing():
    notes = []
    limit = row_limit("cpu", 1000, None, lambda *words: notes.append(words))
    assert limit.tokens == MOST_TOKENS["cpu"]
    assert notes == []


def test_a_spent_budget_leaves_the_fewest_tokens():
    assert row_limit("cpu", 2**20, 1).tokens == FEWEST_TOKENS


def test_memory_that_runs_out_halves_the_tokens_until_it_suffices():
    tried, recovered = [], []

    def work(tokens):
        tried.append(tokens)
        if tokens > 70:
            raise MemoryError
        return "done"

    limit = RowLimit(500)
    assert limit.run(work, lambda: recovered.append(1)) == "done"
    assert tried == [500, 250, 125, 62]
    assert len(recovered) == 3
    assert limit.tokens == 62  # later work begins where this ended


def test_other_errors_are_not_taken_for_want_of_memory():
    def broken(_):
        raise RuntimeError("shapes do not match")

    limit = RowLimit(500)
    with pytest.raises(RuntimeError, match="shapes"):
        limit.run(broken)
    assert limit.tokens == 500


def test_the_halving_ends():
    def never(_):
        raise MemoryError("no memory")

    limit = RowLimit(500)
    with pytest.raises(MemoryError):
        limit.run(never)
    assert limit.tokens == FEWEST_TOKENS
