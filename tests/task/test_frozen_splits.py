"""Frozen splits: which row is in which split stays, whatever rows are added or changed."""

import json

import pytest
from task_folder import data, rows, task_text, told, write

from harness.task import load_task

SPLIT = {"test": 0.3, "validation": 0.1, "frozen": "splits.json"}


def frozen(some, split=SPLIT, **more):
    columns = data(train=None, test=None, all="all.jsonl", **more)
    return {"text": task_text(data=columns, split=split), "all_jsonl": some}


def ids(task):
    return {name: {query.id for query in split.queries} for name, split in task.splits.items()}


def test_a_frozen_cut_stays_when_rows_come_and_go(tmp_path):
    some = rows("row", 40)
    task = load_task(write(tmp_path, **frozen(some)))
    assert not (tmp_path / "splits.json").exists(), "reading a task writes nothing"
    before = ids(task)
    assert task.freeze() == tmp_path / "splits.json"
    assert task.freeze() is None
    assert load_task(tmp_path / "task.yaml").data.sha256 == task.data.sha256
    gone = sorted(before["test"])[0]
    more = [row for row in some[::-1] if row["id"] != gone] + rows("new", 10)
    now = load_task(write(tmp_path, **frozen(more)))
    assert ids(now)["test"] == before["test"] - {gone}
    assert ids(now)["validation"] == before["validation"]
    assert ids(now)["train"] == before["train"] | {f"new{n}" for n in range(10)}
    (said,) = [one.sentence for one in now.said]
    assert now.said[0] in now.data.findings
    assert said == (
        "changed since splits.json was written: train: 10 rows added (new0, new1, new2, new3, new4"
        f" and 5 more); test: 1 row gone ({gone})"
    )


def test_changed_inputs_and_answers_are_said(tmp_path):
    some = rows("row", 40)
    task = load_task(write(tmp_path, **frozen(some)))
    task.freeze()
    first, second = sorted(ids(task)["test"])[:2]
    changed = [
        {**row, **({"text": "other"} if row["id"] == first else {})}
        | ({"label": {"a": "b", "b": "a"}[row["label"]]} if row["id"] == second else {})
        for row in some
    ]
    (said,) = load_task(write(tmp_path, **frozen(changed))).said
    assert said.sentence == (
        f"changed since splits.json was written: test: 1 row now ask something else ({first});"
        f" test: 1 row now have other right answers ({second})"
    )


def test_new_rows_that_belong_to_held_out_ones_are_left_out(tmp_path):
    some = rows("row", 40)
    task = load_task(write(tmp_path, **frozen(some)))
    task.freeze()
    test_text = task.test[0].query.text
    more = [*some, {"id": "again", "text": test_text.upper() + "!", "label": "a"}]
    now = load_task(write(tmp_path, **frozen(more)))
    assert ids(now) == ids(task)
    assert [one.sentence for one in now.said] == [
        "1 rows that splits.json does not name are left out: their cluster or input is that of a"
        " test or validation row"
    ]
    assert now.data.leaked_ids == ()


def test_another_cut_than_the_frozen_one_is_refused_with_the_remedy(tmp_path):
    load_task(write(tmp_path, **frozen(rows("row", 40)))).freeze()
    other = frozen(rows("row", 40), {**SPLIT, "test": 0.2})
    (line,) = told(write(tmp_path, **other))
    assert line == (
        "splits.json: was cut by test 0.3, validation 0.1, seed 0, and the task says test 0.2,"
        " validation 0.1, seed 0 → write what stood there, or remove the file to cut anew"
    )
    (tmp_path / "splits.json").unlink()
    assert told(write(tmp_path, **other)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"splits": 3}', b"\xff\xfe"])
def test_a_file_that_holds_no_splits_is_refused(tmp_path, content):
    path = write(tmp_path, **frozen(rows("row", 40)))
    (tmp_path / "splits.json").write_bytes(content)
    (line,) = told(path)
    assert line.startswith("splits.json: holds no frozen splits: ")
    assert line.endswith("→ take back the file that `run` wrote, or remove the file to cut anew")


def test_rows_without_ids_cannot_be_frozen(tmp_path):
    bare = [{"text": f"x{i}", "label": "ab"[i % 2]} for i in range(20)]
    (line,) = told(write(tmp_path, **frozen(bare)))
    assert line == (
        "all.jsonl:1: this row has no id, and split.frozen keeps rows by their ids → give each row"
        " an id, and name its column as data.id"
    )


def test_a_cut_by_time_can_be_frozen_so_that_newer_rows_are_learnt_from(tmp_path):
    some = [{**row, "at": f"2026-01-{n + 1:02}"} for n, row in enumerate(rows("row", 20))]
    split = {"time": "at", "test": 0.2, "frozen": "splits.json"}
    task = load_task(write(tmp_path, **frozen(some, split)))
    task.freeze()
    later = [{**row, "at": "2026-02-01"} for row in rows("new", 5)]
    now = load_task(write(tmp_path, **frozen([*some, *later], split)))
    assert ids(now)["test"] == ids(task)["test"] == {f"row{n}" for n in range(16, 20)}


def test_the_file_is_small_and_holds_no_text(tmp_path):
    some = rows("row", 1000)
    load_task(write(tmp_path, **frozen(some))).freeze()
    text = (tmp_path / "splits.json").read_text()
    assert "text" not in json.loads(text)["splits"]["test"]
    assert "row text" not in text
    assert len(text) < 64 * 1000
