"""`generation`: tokens agree up to a near-tie."""

from __future__ import annotations

import pytest
from fake_sides import COMMON, FakeSides
from needed import needs_banking77

from benchmarks import (
    generation,
)


def generated(outputs):
    return lambda prompts, **_: (
        2.0,
        {
            "outputs": outputs[: len(prompts)],
            "token_hashes": list(prompts),
            "prompt_tokens_mean": 9.0,
            "shared_tokens": 8,
            "new_tokens_mean": 3.0,
            "ends": [0],
        },
    )


def generation_answers(peer_outputs, gaps):
    return {
        generation.ours: generated([[1, 2, 3]] * 64),
        generation.peer: generated(peer_outputs),
        generation.peer_trials: (1.0, {"8": 0.3, "16": 0.2, "32": 0.4}),
        generation.peer_gaps: (1.0, gaps),
    }


@needs_banking77
@pytest.mark.parametrize(
    ("other", "gaps", "same"),
    [
        ([1, 2, 3], None, True),
        ([1, 2, 9], [5e-4], True),
        ([1, 2, 9], [5e-2], False),
        ([1, 2], [5e-2], False),
    ],
)
def test_tokens_agree_up_to_a_near_tie(other, gaps, same):
    sides = FakeSides(generation_answers([other] + [[1, 2, 3]] * 63, gaps))
    found = generation.run(sides)
    assert set(found) > COMMON
    assert found["same_tokens"] is same
    assert found["peer_settings"]["batch_size"] == 16
    if gaps:
        assert sides.asked[-1][1]["common"] == [[1, 2]]
