"""A run keeps of its test rows what was asked, so that a report can show one."""

from __future__ import annotations

from hand_made import Arm, right, write_run
from task_folder import data, rows, task_text, write

from harness.analysis.read_run import read_run
from harness.run.truth_rows import truth_rows
from harness.task import limited, load_task
from harness.types import Query


def test_inputs_visible_fields_and_groups_stand_beside_what_is_right(tmp_path):
    text = task_text(data=data(visible=["kind"], groups="team"))
    test = [
        {"id": "t0", "text": "x\n\u202ey", "label": "a", "kind": "k", "team": ["hr"]},
        {"id": "t1", "text": "z", "label": "b", "kind": "l", "team": []},
    ]
    train = rows("train", 2, kind="k", team=[])
    task = load_task(write(tmp_path, text, train_jsonl=train, test_jsonl=test))
    first, second = truth_rows(task)
    assert first == {
        "id": "t0", "targets": ("a",), "slices": {}, "cluster": None, "evidence": (),
        "input": "x\n\u202ey", "fields": {"kind": "k"}, "groups": ("hr",),
    }  # fmt: skip
    assert (second["id"], second["groups"]) == ("t1", ())
    assert [row["id"] for row in truth_rows(limited(task, 1))] == [
        limited(task, 1).test[0].query.id
    ]


def test_the_analysis_reads_them_and_does_without_them(tmp_path):
    targets = ["yes", "no"]
    columns = {"input": ["a", "b"], "fields": [{"x": 1}, {}], "groups": [["hr"], []]}
    arms = [Arm("one", [right(targets)])]
    asked = read_run(write_run(tmp_path / "new", targets, arms, truth=columns)).gold.asked
    assert asked == (Query("r0", "a", {"x": 1}, ("hr",)), Query("r1", "b"))
    assert read_run(write_run(tmp_path / "old", targets, arms)).gold.asked is None
