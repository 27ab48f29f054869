"""However a run is split among machines, merging its parts gives its records and files again."""

from __future__ import annotations

import random
from itertools import count

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from parts import part_of, tree

from harness.run.merging.merge import merge

LISTS = ("trials", "curve")


def as_planned(folder):
    header = folder.last_header()
    return {name: getattr(header, name) for name in LISTS}


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    """A new path in every call."""
    folder, numbers = tmp_path_factory.mktemp("split"), count()
    return lambda: folder / str(next(numbers))


QUIET = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}
"""To find a smaller case would take minutes: each copies folders."""


@settings(max_examples=10, **QUIET)
@given(parts=st.integers(1, 4), seed=st.integers(0, 10_000), twice=st.sampled_from([0.0, 0.3]))
def test_parts_give_the_whole(whole, new, parts, seed, twice):
    draw = random.Random(seed)
    header = whole.last_header()
    plans = [*header.trials, *header.curve]
    did = {
        plan.trial_id: {draw.randrange(parts)}
        | {part for part in range(parts) if draw.random() < twice}
        for plan in plans
    }
    folders = [
        part_of(whole, new(), lambda plan, part=part: part in did[plan.trial_id]).path
        for part in range(parts)
        if any(part in some for some in did.values())
    ]
    draw.shuffle(folders)
    found = merge(folders, new())
    assert (found.conflicts, found.trials_n) == ((), len(plans))
    assert as_planned(found.folder) == as_planned(whole)
    assert found.folder.trials() == whole.trials()
    assert found.folder.last_header().task == header.task
    assert found.folder.first_headers().keys() == whole.first_headers().keys()
    merged, of_one = tree(found.folder.path), tree(whole.path)
    assert merged.keys() == of_one.keys()
    assert all(merged[name] == of_one[name] for name in of_one if name != "records.jsonl")


@settings(max_examples=4, **QUIET)
@given(seed=st.integers(0, 10_000))
def test_merging_in_steps_is_merging_at_once(whole, new, seed):
    draw = random.Random(seed)
    plans = [*whole.last_header().trials, *whole.last_header().curve]
    of = {plan.trial_id: draw.randrange(3) for plan in plans}
    folders = [
        part_of(
            whole,
            new(),
            lambda plan, part=part: of[plan.trial_id] == part,
            started_at=f"2026-11-2{part}T12:00:00+00:00",
        ).path
        for part in range(3)
    ]
    at_once = merge(folders, new()).folder
    halfway = merge(folders[:2], new()).folder
    assert tree(merge([halfway.path, folders[2]], new()).folder.path) == tree(at_once.path)
    assert tree(merge([at_once.path, *folders], new()).folder.path) == tree(at_once.path)
