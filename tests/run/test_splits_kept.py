"""A run folder keeps which row was in which split; the next run says what changed."""

import json

from task_folder import rows, write

from harness.run.splits_kept import data_changes, keep_splits
from harness.store.run_folder import RunFolder, write_jsonl
from harness.task import limited, load_task


class Earlier:
    """The header of a run, as far as it is asked."""

    def __init__(self, task):
        self.data = task.data
        self.files = {}


def kept(tmp_path):
    task = load_task(write(tmp_path))
    folder = RunFolder(tmp_path)
    keep_splits(task, folder)
    write_jsonl(folder.truth, ({"id": r.id, "targets": r.targets} for r in task.truth))
    return task, folder, Earlier(task)


def test_a_run_on_the_same_rows_says_nothing(tmp_path):
    task, folder, earlier = kept(tmp_path)
    assert list(data_changes(task, folder, earlier)) == []
    assert list(data_changes(task, folder, None)) == []


def test_a_run_on_changed_rows_says_what_changed_also_of_right_answers(tmp_path):
    _, folder, earlier = kept(tmp_path)
    test = rows("test", 6)
    test[0]["label"] = "b"
    changed = load_task(write(tmp_path, train_jsonl=rows("train", 9), test_jsonl=test))
    assert list(data_changes(changed, folder, earlier)) == [
        "the data changed since the run before: train: 1 row added (train8); test: 1 row now have"
        " other right answers (test0)"
    ]


def test_the_folder_holds_no_answer_of_a_test_row(tmp_path):
    _, folder, _ = kept(tmp_path)
    kept_splits = json.loads(folder.splits.read_text())["splits"]
    assert kept_splits["test"]["targets"] is None
    assert kept_splits["test"]["ids"] == [f"test{n}" for n in range(6)]


def test_where_what_was_kept_is_lost_the_split_is_named(tmp_path):
    _, folder, earlier = kept(tmp_path)
    changed = load_task(write(tmp_path, train_jsonl=rows("train", 9)))
    for content in (b"{", None):
        folder.splits.unlink() if content is None else folder.splits.write_bytes(content)
        assert list(data_changes(changed, folder, earlier)) == [
            "the rows of train differ from the run before; which is unknown"
        ]


def test_a_sample_of_the_test_rows_is_no_change_of_the_data(tmp_path):
    task, folder, earlier = kept(tmp_path)
    assert list(data_changes(limited(task, 3), folder, earlier)) == []
