"""Another cut of the labelled rows for another seed: the same sizes and labels."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from task_folder import data, rows, task_text, write

from harness.task import load_task
from harness.task.seed_cut import cut_anew
from harness.types import Example, Query, Split


def split(name, labels, prefix="") -> Split:
    made = [Example(Query(f"{name}{n}", f"{prefix}{name} {n}"), (v,)) for n, v in enumerate(labels)]
    return Split(name, tuple(made))


def ids(*splits):
    return [row.query.id for some in splits for row in some]


def labels_of(some):
    return Counter(row.targets[0] for row in some)


LABELS = st.lists(st.sampled_from("abc"), min_size=1, max_size=30)


@given(LABELS, LABELS, st.integers(1, 2**32 - 1))
def test_sizes_and_labels_stay_and_no_row_is_lost(train, validation, seed):
    given_cut = split("train", train), split("validation", validation)
    cut = cut_anew(*given_cut, {}, seed, by_target=True)
    assert [*map(labels_of, cut)] == [*map(labels_of, given_cut)]
    assert sorted(ids(*cut)) == sorted(ids(*given_cut))
    assert [one.name for one in cut] == ["train", "validation"]


def test_a_seed_decides_it_whatever_the_order_of_rows():
    train, validation = split("train", "ab" * 40), split("validation", "ab" * 10)
    first, again = (cut_anew(train, validation, {}, 1, by_target=True) for _ in range(2))
    assert first == again
    turned = Split("train", train.examples[::-1])
    other_order = cut_anew(turned, validation, {}, 1, by_target=True)
    assert set(ids(other_order[1])) == set(ids(first[1]))
    assert cut_anew(train, validation, {}, 2, by_target=True) != first
    moved = sum(row_id.startswith("train") for row_id in ids(first[1]))
    assert 10 <= moved <= 20  # of 20, sixteen are expected


def test_clusters_and_equal_inputs_stay_together():
    clusters = {
        "train": tuple(f"c{n // 4}" for n in range(80)),
        "validation": tuple(f"v{n // 4}" for n in range(20)),
    }
    train, validation = split("train", "ab" * 40), split("validation", "ab" * 10)
    both = (*clusters["train"], *clusters["validation"])
    members = dict(zip(ids(train, validation), both, strict=True))
    for seed in range(1, 6):
        learnt, held_out = cut_anew(train, validation, clusters, seed, by_target=True)
        assert not {members[i] for i in ids(learnt)} & {members[i] for i in ids(held_out)}
        assert len(held_out) == 20
    twins = [Example(Query(f"t{n}", f"Same text {n % 10}!"), ("a",)) for n in range(40)]
    some = Split("train", tuple(twins)), split("validation", "a" * 10)
    learnt, held_out = cut_anew(*some, {}, 1, by_target=True)
    texts = [{row.query.text for row in one} for one in (learnt, held_out)]
    assert not texts[0] & texts[1]


def test_where_nothing_can_be_exchanged_the_cut_is_the_given_one():
    train, none = split("train", "abab"), split("validation", "")
    assert cut_anew(train, none, {}, 1, by_target=True) == (train, none)
    one = {"train": ("c",) * 4, "validation": ("c",) * 2}
    both = train, split("validation", "ab")
    assert cut_anew(*both, one, 1, by_target=True) == both


def test_a_tasks_seeds_and_their_rows(tmp_path):
    more = {"validation_jsonl": rows("validation", 4)}
    keys = {"data": data(validation="validation.jsonl")}
    arms = ["majority", {"use": "cascade", "cheap": "tfidf", "dear": "lora"}, "lora", "tfidf"]
    arms += [{"use": "encoder", "name": "tuned", "trains": "all"}, "encoder"]
    task = load_task(write(tmp_path, task_text(strategies=arms, **keys), **more))
    three = {"cascade", "lora", "tuned"}
    found = {arm.name: task.seeds_of(arm.name) for arm in task.arms}
    assert found == {name: (0, 1, 2) if name in three else (0,) for name in found}
    assert task.of_seed(0) is task
    assert task.of_seed(2) is task.of_seed(2)
    assert ids(task.of_seed(1).validation) != ids(task.validation)
    assert task.of_seed(1).test == task.test
    named = load_task(write(tmp_path, task_text(strategies=arms, seeds=[3, 0], **keys), **more))
    assert {named.seeds_of(arm.name) for arm in named.arms} == {(3, 0)}
