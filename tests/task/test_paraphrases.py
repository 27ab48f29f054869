"""Paraphrases of training rows: read from a file, held to the rows, used in turns with typos."""

from __future__ import annotations

import json

import pytest
from task_folder import faults_of, jsonl, rows, task_text, write

from harness.store.rows_variant import RowsVariant
from harness.task import load_task
from harness.task.paraphrases import asked_for
from harness.task.training_rows import kinds_of, learnt_rows
from harness.types import Example, Query, Split

TRAIN, TEST = rows("train", 10), rows("test", 6)
EACH = [{"id": f"train{n}", "text": f"said otherwise, number {n}"} for n in range(10)]
AUGMENT = {"factor": 2, "kinds": ["paraphrase"], "paraphrases": "other.jsonl"}
RECORDED = {"recorded": {"format": 1}}


def task_at(folder, paraphrases=EACH, file="other.jsonl", text=None, **augment):
    """The path of a task with a file of paraphrases."""
    folder.mkdir(exist_ok=True)
    if paraphrases is not None:
        (folder / file).write_text(text or jsonl(paraphrases), encoding="utf-8")
    return write(
        folder,
        task_text(augment={**AUGMENT, "paraphrases": file, **augment}),
        train_jsonl=jsonl(TRAIN),
        test_jsonl=jsonl(TEST),
    )


def learnt(task, **variant):
    augment = task.spec.augment
    more = {"factor": augment.factor, "kinds": tuple(augment.kinds)}
    return task.of_seed(0, RowsVariant(**more, **variant)).train


def said(task):
    return [one for one in task.doubts if one.kind == "paraphrases"]


def test_each_training_row_has_its_paraphrase_behind_it(tmp_path):
    task = load_task(task_at(tmp_path))
    found = [(row.query.id, row.query.text, row.targets) for row in learnt(task)]
    for n, row in enumerate(TRAIN):
        right = (row["label"],)
        assert found[2 * n] == (row["id"], row["text"], right)
        assert found[2 * n + 1] == (f"{row['id']}~paraphrase-1", EACH[n]["text"], right)
    assert not said(task)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("other.csv", "id;text\n" + "".join(f"{r['id']};{r['text']}\n" for r in EACH)),
        ("other.json", json.dumps({"rows": EACH})),
        ("other.jsonl", jsonl([RECORDED, *EACH])),
    ],
)
def test_any_format_of_rows_is_read(tmp_path, file, text):
    one, other = (
        load_task(task_at(tmp_path / "a")),
        load_task(task_at(tmp_path / "b", EACH, file, text)),
    )
    assert other.paraphrases.texts == one.paraphrases.texts
    assert other.paraphrases.sha256 == one.paraphrases.sha256


def test_several_of_one_row_are_used_one_after_the_other(tmp_path):
    more = [{"id": one["id"], "text": f"{one['text']}, again"} for one in EACH]
    task = load_task(task_at(tmp_path, [*EACH, *more], factor=3))
    texts = [row.query.text for row in learnt(task)]
    assert texts[:3] == [TRAIN[0]["text"], EACH[0]["text"], more[0]["text"]]
    assert len(texts) == 30


def test_kinds_take_turns_by_the_rows_ids_alone():
    train = Split(
        "train",
        tuple(Example(Query(f"r{n}", f"some longer words {n}"), ("a",)) for n in range(400)),
    )
    texts = {f"r{n}": (f"other {n}",) for n in range(400)}
    variant = RowsVariant(factor=2, kinds=("typo", "paraphrase"))
    nothing = Split("validation", ())

    def made(rows):
        return learnt_rows(rows, nothing, variant, by_target=True, paraphrases=texts).made_of

    whole = made(train)
    shares = [sum(f"~{kind}-" in one for one in whole) for kind in ("typo", "paraphrase")]
    assert sum(shares) == 400
    assert min(shares) > 150
    part = made(Split("train", train.examples[100:200]))
    assert part == {
        one: of for one, of in whole.items() if of in {f"r{n}" for n in range(100, 200)}
    }
    assert kinds_of("r1", 3, ["typo", "paraphrase"]) in (
        ["typo", "paraphrase"],
        ["paraphrase", "typo"],
    )


def test_other_paraphrases_are_other_rows_and_another_variant(tmp_path):
    one = load_task(task_at(tmp_path / "a"))
    other = load_task(task_at(tmp_path / "b", [*EACH[:-1], {**EACH[-1], "text": "new"}]))
    assert one.paraphrases.sha256 != other.paraphrases.sha256
    assert learnt(one).sha256 != learnt(other).sha256


def test_what_is_no_paraphrase_to_learn_from_is_left_out_and_counted(tmp_path):
    train0 = Query(TRAIN[0]["id"], TRAIN[0]["text"])
    unfit = [
        {"id": "train0", "text": "TRAIN text: 0!"},
        {"id": "train1", "text": " "},
        {"id": "train2", "text": "half a", "finish_reason": "length"},
        {"id": "train3", "text": "", "error": "HTTP 500"},
        {"id": "train4~paraphrase-1", "text": "an old one", "query_sha256": "0" * 64},
        {"id": "train5", "text": "<think>hm</think> fine words"},
        {"id": "train5", "text": "Fine words!"},
        {
            "id": "train0~paraphrase-1",
            "text": "a fresh one",
            "query_sha256": asked_for(train0, 1).sha256,
        },
    ]
    task = load_task(task_at(tmp_path, [RECORDED, *unfit]))
    assert task.paraphrases.texts == {"train0": ("a fresh one",), "train5": ("fine words",)}
    fewer, left_out = said(task)
    assert fewer.count == 8
    assert "8 of 10 training rows that `augment` makes paraphrases of have too few" in fewer.text
    assert "harness record" in fewer.remedy
    assert left_out.count == 6
    for why in (
        "1 say the same as their row",
        "1 are empty",
        "1 were cut",
        "1 failed",
        "1 are of rows that have changed since",
        "1 repeat an earlier one",
    ):
        assert why in left_out.text
    assert len(learnt(task)) == 12


def test_paraphrases_of_test_and_unknown_rows_are_refused_with_counts(tmp_path):
    strange = [
        {"id": one, "text": "x y"} for one in ("test0", "test1", "nobody", "test0~paraphrase-1")
    ]
    refused, unknown = faults_of(task_at(tmp_path, [*EACH, *strange]))
    assert refused.what.startswith(
        "3 of its rows paraphrase rows of test ('test0', 'test1', 'test0')"
    )
    assert unknown.what == "1 of its ids are of no row of the task ('nobody')"
    assert "leave these out" in refused.fix


def test_what_the_test_asks_is_said(tmp_path):
    test = [{**TEST[0], "text": "one two three four five six seven eight nine ten eleven twelve"}]
    alike = [
        {
            "id": "train0",
            "text": "One two three four five six seven eight nine ten eleven, twelve.",
        },
        {
            "id": "train1",
            "text": "one two three four five six seven eight nine ten eleven twelve 13",
        },
    ]
    path = task_at(tmp_path, [*alike, *EACH[2:]])
    (tmp_path / "test.jsonl").write_text(jsonl(test))
    same, near = said(load_task(path))
    assert (same.severity, same.rows) == ("warning", ("train0",))
    assert "1 of 10 paraphrases are the same as a test input" in same.text
    assert (near.severity, near.rows) == ("warning", ("train1",))
    assert "nearly the same as a test input" in near.text


@pytest.mark.parametrize(
    ("augment", "what"),
    [
        ({"kinds": ["typo"]}, "no kind of `augment` reads it"),
        ({"paraphrases": None}, "paraphrases stand in a file, and none is named"),
        ({"paraphrases": "gone.jsonl"}, "there is no file gone.jsonl"),
    ],
)
def test_a_key_without_the_other_and_a_missing_file_are_refused(tmp_path, augment, what):
    path = task_at(tmp_path)
    path.write_text(task_text(augment={k: v for k, v in {**AUGMENT, **augment}.items() if v}))
    [fault] = faults_of(path)
    assert fault.what == what


def test_a_row_without_text_is_a_fault_with_its_line(tmp_path):
    [fault] = faults_of(task_at(tmp_path, [*EACH, {"id": "train1"}]))
    assert fault.where.endswith("other.jsonl:11")
