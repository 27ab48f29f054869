"""Cuts by time: the newest rows are test, in exact shares, whatever the order of rows."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_folder import data, rows, task_text, told, write

from harness.task import load_task
from harness.task.moments import moments_of
from harness.task.rows import Row
from harness.task.schema import Data
from harness.task.split_spec import SplitSpec
from harness.task.time_cut import cut_by_time

COLUMNS = Data(input="text", target="label")
CLUSTERED = Data(input="text", target="label", cluster="doc")
BY_TIME = SplitSpec(time="at", test=0.2, validation=0.1)


LOADED = settings(max_examples=50)
"""A machine that does other work is slow to draw examples, which says nothing of the cut."""


def timed(times, **more):
    return [
        Row(
            "f",
            number,
            {"text": f"input {number}", "at": at} | {k: v[number] for k, v in more.items()},
        )
        for number, at in enumerate(times)
    ]


def parts(some, data_=COLUMNS, split=BY_TIME):
    faults = []
    moments = moments_of(some, "at", faults)
    assert not faults
    return cut_by_time(some, moments, data_, split)


def time_task(some_rows, split=None, **more):
    split = {"time": "at", "test": 0.2, "validation": 0.1} if split is None else split
    columns = data(train=None, test=None, all="all.jsonl", **more)
    return {"text": task_text(data=columns, split=split), "all_jsonl": some_rows}


@LOADED
@given(st.lists(st.integers(0, 10**9), min_size=10, max_size=80, unique=True), st.randoms())
def test_the_newest_rows_are_test_in_exact_shares_whatever_the_order(times, shuffled):
    found = parts(timed(times))
    n = len(times)
    at = {name: sorted(row.values["at"] for row in some) for name, some in found.items()}
    assert [*at["train"], *at["validation"], *at["test"]] == sorted(times)
    assert abs(len(at["test"]) - 0.2 * n) < 1
    assert abs(len(at["validation"]) - 0.1 * n) < 1
    other = list(times)
    shuffled.shuffle(other)
    again = parts(timed(other))
    assert {k: sorted(r.values["at"] for r in v) for k, v in again.items()} == at


@LOADED
@given(st.lists(st.integers(0, 6), min_size=5, max_size=60), st.data())
def test_rows_of_one_time_and_of_one_cluster_stay_on_one_side(times, drawn):
    docs = drawn.draw(st.lists(st.integers(0, 9), min_size=len(times), max_size=len(times)))
    by_time = parts(timed(times))
    sides = [{row.values["at"] for row in some} for some in by_time.values()]
    assert sum(map(len, sides)) == len(set(times))
    whole = parts(timed(times, doc=docs), CLUSTERED)
    assert sorted(row.line for some in whole.values() for row in some) == list(range(len(times)))
    sides = [{row.values["doc"] for row in some} for some in whole.values()]
    assert sum(map(len, sides)) == len(set(docs))
    newest = {doc: max(t for t, d in zip(times, docs, strict=True) if d == doc) for doc in docs}
    order = [
        [newest[row.values["doc"]] for row in whole[name]]
        for name in ("train", "validation", "test")
    ]
    flat = [(min(some), max(some)) for some in order if some]
    assert all(one[1] < other[0] for one, other in pairwise(flat))


@pytest.mark.parametrize(
    "times",
    [
        ["2026-01-01", "2026-01-02T00:00:01", "2026-01-02 00:00:02.5", "2026-02", "20260302"][:4],
        ["2026-01-01T23:00:00-05:00", "2026-01-02T05:00:00Z", "2026-01-02 05:00:01 UTC"],
        [1_700_000_000, 1_700_000_000.5, "1700000001", 1.8e9],
        [1_700_000_000, 1_700_000_000_001, 1_700_000_000_002_000, 1_700_000_000_003_000_000],
        [1999, 2004, "2026"],
        ["20251231", "20260101", 20260302],
    ],
)
def test_times_are_read_as_people_and_machines_write_them(times):
    order = list(enumerate(times))
    random.Random(0).shuffle(order)
    faults = []
    found = moments_of(timed([at for _, at in order]), "at", faults)
    assert not faults
    assert [n for _, (n, _) in sorted(zip([m.at for m in found], order, strict=True))] == list(
        range(len(times))
    )


@pytest.mark.parametrize(
    "at", ["03/04/2026", "yesterday", None, float("nan"), True, "", [2026], "1e99", "2026-13-01"]
)
def test_a_time_that_cannot_be_read_is_told_with_its_row(tmp_path, at):
    some = [{**row, "at": f"2026-01-{n + 1:02}"} for n, row in enumerate(rows("row", 20))]
    some[3]["at"] = at
    some[7]["at"] = "03/04/2026"
    path = write(tmp_path, **time_task(some))
    (line,) = told(path)
    assert line.startswith("all.jsonl:4: 'at' is ")
    assert ", which is no time that can be read, and so it is with 1 more → write e.g. 2026" in line


def test_numbers_and_dates_in_one_column_are_told_with_the_odd_row(tmp_path):
    some = [{**row, "at": f"2026-01-{n + 1:02}"} for n, row in enumerate(rows("row", 20))]
    some[4]["at"] = 1_700_000_000
    (line,) = told(write(tmp_path, **time_task(some)))
    assert line == (
        "all.jsonl:5: 'at' is 1700000000, a number, and in 19 other rows it is a date"
        " → write all of them the same way"
    )


def test_the_task_is_cut_and_says_from_when_to_when_each_split_is(tmp_path):
    some = [{**row, "at": f"2026-01-{n + 1:02}"} for n, row in enumerate(rows("row", 20))]
    random.Random(3).shuffle(some)
    task = load_task(write(tmp_path, **time_task(some)))
    assert {q.id for q in task.test.queries} == {f"row{n}" for n in range(16, 20)}
    assert {q.id for q in task.validation.queries} == {"row14", "row15"}
    assert task.data.findings[0].sentence == (
        "cut by 'at': train from 2026-01-01 to 2026-01-14, validation from 2026-01-15 to"
        " 2026-01-16, test from 2026-01-17 to 2026-01-20"
    )
    assert task.of_seed(1) is task, "validation rows are newer than train for every seed"


def test_several_time_zones_and_rows_without_one_are_said(tmp_path):
    zones = ["+01:00", "Z", "", "-08:00"]
    some = [
        {**row, "at": f"2026-01-{n + 1:02}T10:00:00{zones[n % 4]}"}
        for n, row in enumerate(rows("row", 20))
    ]
    task = load_task(write(tmp_path, **time_task(some)))
    assert tuple(one.sentence for one in task.data.findings[1:3]) == (
        "'at' holds times of 3 time zones (+01:00 (5), +00:00 (5), -08:00 (5)): they are compared"
        " as the moments that they are",
        "'at' names no time zone in 5 of 20 rows: these are taken as UTC → write the zone, e.g."
        " 2026-03-01T14:30:00+01:00",
    )


def test_a_cluster_that_goes_on_is_test_and_its_older_rows_are_told(tmp_path):
    some = [
        {**row, "at": f"2026-01-{n + 1:02}", "doc": "old and new" if n in (0, 19) else f"d{n}"}
        for n, row in enumerate(rows("row", 20))
    ]
    task = load_task(write(tmp_path, **time_task(some, cluster="doc")))
    assert {q.id for q in task.test.queries} == {"row0", "row17", "row18", "row19"}
    assert task.data.findings[0].sentence.endswith(
        "; 1 test rows are older than the newest training row"
    )


def test_where_all_rows_have_one_time_the_remedy_is_told(tmp_path):
    some = [{**row, "at": "2026-01-01"} for row in rows("row", 20)]
    split = {"time": "at", "test": 0.2}
    (line,) = told(write(tmp_path, **time_task(some, split)))
    assert line == (
        "task.yaml:7 split.test: 0.2 of 20 rows is 4.0, and no row came into test: the newest 20"
        " rows have one time, or are of one cluster → add rows"
    )


def test_a_seed_has_no_effect_on_time_and_a_column_must_be_there(tmp_path):
    some = [{**row, "at": "2026-01-01"} for row in rows("row", 20)]
    (line, *_) = told(write(tmp_path, **time_task(some, {"time": "at", "test": 0.2, "seed": 1})))
    assert line == (
        "task.yaml:7 split.seed: `seed` has no effect where `time` says which row is in which"
        " split → remove seed, or time"
    )
    (line,) = told(write(tmp_path, **time_task(some, {"time": "att", "test": 0.2})))
    assert line.startswith("task.yaml:7 split.time: no column is called 'att'")
    assert line.endswith("→ write time: at")
