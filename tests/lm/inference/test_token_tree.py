"""A packed row holds each token-in-context once, and lets it see its ancestors alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.lm.inference.token_tree import TokenTree, common_prefix_length

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=6)


@given(SEQUENCES)
def test_every_sequence_is_read_back_from_what_its_last_token_sees(sequences):
    tree = TokenTree()
    ends = [tree.add(sequence)[-1] for sequence in sequences]
    visible = tree.visible()
    for sequence, end in zip(sequences, ends, strict=True):
        seen = [node for node in range(len(tree)) if visible[end, node]]
        assert [tree.tokens[node] for node in seen] == sequence
        assert [tree.depths[node] for node in seen] == list(range(len(sequence)))


@given(SEQUENCES)
def test_a_row_has_as_many_nodes_as_there_are_different_prefixes(sequences):
    tree = TokenTree()
    for sequence in sequences:
        tree.add(sequence)
    prefixes = {tuple(s[: i + 1]) for s in sequences for i in range(len(s))}
    assert len(tree) == len(prefixes)


@given(SEQUENCES)
def test_the_common_prefix_is_common_and_cannot_be_longer(sequences):
    length = common_prefix_length(sequences)
    assert len({tuple(s[:length]) for s in sequences}) == 1
    assert any(len(s) == length for s in sequences) or len({s[length] for s in sequences}) > 1


def test_sequences_that_share_nothing_are_blocks_on_the_diagonal():
    tree = TokenTree()
    tree.add([1, 2])
    tree.add([3, 4])
    assert tree.visible().tolist() == [
        [True, False, False, False],
        [True, True, False, False],
        [False, False, True, False],
        [False, False, True, True],
    ]
