"""Cutting a call into rows: every sequence once, what is kept is shared, nothing twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.lm.inference.batching import plan_rows
from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.token_tree import TokenTree, common_prefix_length

PASSAGES = st.sampled_from([[1] * 30, [1] * 20 + [2] * 25, [3] * 17, []])
PROMPTS = st.lists(
    st.builds(lambda a, b: a + b, PASSAGES, st.lists(st.integers(1, 4), min_size=1, max_size=9)),
    min_size=1,
    max_size=30,
)


def nodes(prompts, kept):
    tree = TokenTree()
    for prompt in prompts:
        tree.add(prompt[kept:])
    return len(tree)


@given(PROMPTS, st.integers(0, 5), st.sampled_from([4, 16, 40, 1000]))
@settings(max_examples=300)
def test_rows_hold_every_prompt_once_within_the_limit(prompts, below, limit):
    rows = list(plan_rows(prompts, [below] * len(prompts), 0, limit))
    assert sorted(place for row in rows for place in row.members) == list(range(len(prompts)))
    for row in rows:
        members = [prompts[place] for place in row.members]
        assert row.kept <= common_prefix_length(members)
        assert row.kept < min(map(len, members))  # the last token's logits are wanted
        assert row.kept == 0 or row.kept >= SHORTEST
        if len(members) > 1:
            assert nodes(members, row.kept) + below * len(members) <= limit


@given(PROMPTS, st.sampled_from([16, 40, 1000]))
@settings(max_examples=100)
def test_kept_prefixes_grow_and_shrink_like_a_stack(prompts, limit):
    """Of a prefix that was let go, less is computed again than is worth keeping."""
    kept: list[int] = []
    let_go = set()
    for row in plan_rows(prompts, [0] * len(prompts), 0, limit):
        wanted = prompts[row.members[0]][: row.kept]
        common = common_prefix_length([kept, wanted])
        let_go |= {tuple(kept[:n]) for n in range(common + 1, len(kept) + 1)}
        again = [n for n in range(common + 1, len(wanted) + 1) if tuple(wanted[:n]) in let_go]
        assert len(again) < SHORTEST
        kept = wanted


def test_what_fits_is_one_row():
    prompts = [[1, 2, 3], [1, 2, 4], [9]]
    [row] = plan_rows(prompts, [1, 1, 1], 0, 8)
    assert row.kept == 0
    assert sorted(row.members) == [0, 1, 2]


def test_a_passage_that_several_rows_share_is_kept_for_them():
    passage = [7] * 50
    prompts = [passage + [n] * 10 for n in range(6)]
    rows = list(plan_rows(prompts, [0] * 6, 0, 30))
    assert [row.kept for row in rows] == [50, 50]
    assert [len(row.members) for row in rows] == [3, 3]
