"""`--limit N`: the same seeded sample for every arm, by label in proportion, each in the next."""

import random
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_folder import task_text, write

from harness.task import limited, load_task

SIZES = {"a": 60, "b": 30, "c": 9, "d": 1}


@cache
def task_of_100(kind="choice"):
    labels = [label for label, n in SIZES.items() for _ in range(n)]
    random.Random(3).shuffle(labels)
    test = [{"id": i, "text": f"t{i}", "label": label} for i, label in enumerate(labels)]
    train = [{"id": "r", "text": "t99", "label": "a"}]
    answer = {"kind": kind} | ({"labels": list(SIZES)} if kind == "choice" else {})
    text = task_text(answer=answer, metric="exact_match")
    with TemporaryDirectory() as folder:
        return load_task(write(Path(folder), text, train_jsonl=train, test_jsonl=test))


def ids(task):
    return [query.id for query in task.test.queries]


@pytest.mark.parametrize("kind", ["choice", "text"])
@given(smaller=st.integers(1, 100), larger=st.integers(1, 120))
def test_a_larger_limit_contains_every_row_of_a_smaller_one(kind, smaller, larger):
    smaller, larger = sorted((smaller, larger))
    some, more = limited(task_of_100(kind), smaller), limited(task_of_100(kind), larger)
    assert len(some.test) == smaller
    assert len(more.test) == min(larger, 100)
    assert set(ids(some)) <= set(ids(more))


@given(st.integers(1, 100))
def test_labels_are_taken_in_proportion(limit):
    taken = Counter(example.targets[0] for example in limited(task_of_100(), limit).test)
    for label, n in SIZES.items():
        assert abs(taken[label] - n * limit / 100) <= 1.5


@given(st.integers(1, 99))
def test_rows_keep_their_order_and_their_truth(limit):
    some = limited(task_of_100(), limit)
    whole = ids(task_of_100())
    assert ids(some) == [row_id for row_id in whole if row_id in set(ids(some))]
    assert [row.id for row in some.truth] == ids(some)
    assert [row.targets for row in some.truth] == [example.targets for example in some.test]


def test_the_sample_is_the_same_every_time():
    assert ids(limited(task_of_100(), 40)) == ids(limited(task_of_100(), 40))
    assert ids(limited(task_of_100(), 40)) != ids(task_of_100())[:40]


def test_the_facts_of_the_data_are_those_of_the_sample():
    whole, some = task_of_100(), limited(task_of_100(), 10)
    assert (some.data.test_n, some.data.test_total_n, some.data.train_n) == (10, 100, 1)
    assert some.data.sha256["test"] == some.test.sha256 != whole.test.sha256
    assert some.data.sha256["train"] == whole.data.sha256["train"]
    assert set(some.data.leaked_ids) <= set(ids(some))
    assert some.data.expectations[0].text.startswith("with 10 test rows")


def test_a_limit_beyond_the_test_set_changes_nothing():
    assert limited(task_of_100(), 100) is task_of_100()
    assert limited(task_of_100(), 1000) is task_of_100()
