"""Splits: unique ids, targets and slices that stay with the judge, and a fair cut of one file."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_folder import data, jsonl, rows, task_text, told, write

from harness.task import load_task
from harness.task.rows import Row
from harness.task.same_input import normalised
from harness.task.schema import Data
from harness.task.split_cut import cut
from harness.task.split_spec import SplitSpec

COLUMNS = Data(input="text", target="label")
SHARES = SplitSpec()


def raw_rows(labels_and_texts):
    return [
        Row("f", number, {"text": text, "label": label})
        for number, (label, text) in enumerate(labels_and_texts, start=1)
    ]


def all_task(split=None, **changes):
    return task_text(
        data=data(train=None, test=None, all="all.jsonl"),
        split={"test": 0.3, "validation": 0.1} if split is None else split,
        **changes,
    )


def test_the_same_id_twice_in_one_split_is_told_with_both_places(tmp_path):
    twice = [{"id": 7, "text": "x", "label": "a"}, {"id": "7", "text": "y", "label": "b"}]
    (line,) = told(write(tmp_path, test_jsonl=twice))
    assert line.startswith("test.jsonl:2: the id '7' already stands at ")
    assert "test.jsonl:1" in line


def test_the_same_id_in_two_splits_is_a_fault_whatever_its_type(tmp_path):
    train = [{"id": i, "text": f"t{i}", "label": "a"} for i in range(3)]
    test = [{"id": str(i), "text": f"s{i}", "label": "a"} for i in (2, 5, 1)]
    lines = told(write(tmp_path, train_jsonl=train, test_jsonl=test))
    (line,) = lines
    assert line.startswith("test.jsonl:1: the id '2' already stands at train.jsonl:3, the id '1' ")


def test_without_a_column_id_the_id_is_split_and_row_number(tmp_path):
    bare = [{"text": f"x{i}", "label": "a"} for i in range(2)]
    task = load_task(write(tmp_path, test_jsonl=bare))
    assert [query.id for query in task.test.queries] == ["test-1", "test-2"]
    assert task.train.queries[0].id == "train0"


def test_the_id_column_can_be_named(tmp_path):
    named = [{"key": f"k{i}", "text": f"x{i}", "label": "a"} for i in range(2)]
    text = task_text(data=data(id="key"))
    train = [{**row, "key": f"t{i}", "text": f"y{i}"} for i, row in enumerate(named)]
    task = load_task(write(tmp_path, text, test_jsonl=named, train_jsonl=train))
    assert [row.id for row in task.truth] == ["k0", "k1"]


def test_a_strategy_sees_visible_columns_only_and_the_judge_the_slices(tmp_path):
    more = {"channel": "mail", "region": "north", "author": 5, "secret": "s3cret"}
    text = task_text(data=data(visible=["channel"], slices=["region"], cluster="author"))
    path = write(
        tmp_path, text, test_jsonl=rows("test", 2, **more), train_jsonl=rows("train", 2, **more)
    )
    task = load_task(path)
    assert [query.fields for query in task.test.queries] == [{"channel": "mail"}] * 2
    assert task.truth[0].slices == {"region": "north"}
    assert task.truth[0].cluster == "5"
    assert "s3cret" not in repr(task)
    assert not any(hasattr(query, "targets") for query in task.test.queries)


def test_a_slice_may_not_be_visible(tmp_path):
    text = task_text(data=data(visible=["region"], slices=["region"]))
    lines = told(write(tmp_path, text, test_jsonl=rows("test", 2, region="n")))
    assert any("data.visible.0: 'region' is a target or slice" in line for line in lines)


def test_the_target_may_not_serve_as_id(tmp_path):
    lines = told(write(tmp_path, task_text(data=data(id="label"))))
    assert lines[0].startswith("task.yaml:4 data.id: 'label' is the target")


def test_any_of_several_targets_is_kept(tmp_path):
    task = load_task(write(tmp_path, test_jsonl=[{"id": 1, "text": "x", "label": ["b", "a"]}]))
    assert task.truth[0].targets == task.test[0].targets == ("b", "a")


def test_a_split_hash_follows_content_and_order(tmp_path):
    some = rows("test", 4)
    hashes = {
        load_task(write(tmp_path, test_jsonl=content)).data.sha256["test"]
        for content in (
            some,
            some[::-1],
            some[:3],
            [{**some[0], "label": "b"}, *some[1:]],
            [{**some[0], "text": "other"}, *some[1:]],
        )
    }
    assert len(hashes) == 5
    again = [{**row, "ignored": 1} for row in some]
    assert load_task(write(tmp_path, test_jsonl=again)).data.sha256["test"] in hashes


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hello, World!", "hello world", True),
        ("ＡＢ", "ａｂ", True),
        ("a_b", "a  b", True),
        ("Straße 5", "STRASSE 5", False),
        ("hello", "hello 2", False),
        ("😀", "😞", False),
        ("😀", " 😀\n", True),
        ("???", "!!!", False),
    ],
)
def test_inputs_are_compared_in_lower_case_by_letters_and_digits(one, other, same):
    assert (normalised(one) == normalised(other)) is same


PAIRS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 30).map(lambda i: f"Input {i}")), max_size=60
)


@given(PAIRS, st.booleans())
def test_a_cut_keeps_every_row_once_and_equal_inputs_together(pairs, by_target):
    parts = cut(raw_rows(pairs), COLUMNS, SHARES, by_target=by_target)
    cut_rows = [row for part in parts.values() for row in part]
    assert sorted(row.where for row in cut_rows) == sorted(row.where for row in raw_rows(pairs))
    homes = {row.values["text"]: name for name, part in parts.items() for row in part}
    assert all(homes[row.values["text"]] == name for name, part in parts.items() for row in part)


@given(PAIRS, st.randoms(use_true_random=False), st.booleans())
def test_a_cut_does_not_depend_on_the_order_of_rows(pairs, randomness, by_target):
    shuffled = list(pairs)
    randomness.shuffle(shuffled)
    for one, other in zip(
        cut(raw_rows(pairs), COLUMNS, SHARES, by_target=by_target).values(),
        cut(raw_rows(shuffled), COLUMNS, SHARES, by_target=by_target).values(),
        strict=True,
    ):
        assert Counter(row.values["text"] for row in one) == Counter(
            row.values["text"] for row in other
        )


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60), min_size=1),
    st.floats(0.05, 0.6),
    st.floats(0.05, 0.39),
)
def test_all_rows_and_each_label_are_cut_by_the_shares(sizes, test, validation):
    pairs = [(label, f"{label} {i}") for label, n in sizes.items() for i in range(n)]
    shares = {"test": test, "validation": validation, "train": 1 - test - validation}
    parts = cut(
        raw_rows(pairs), COLUMNS, SplitSpec(test=test, validation=validation), by_target=True
    )
    for split, share in shares.items():
        assert abs(len(parts[split]) - share * len(pairs)) < 1
        for label, n in sizes.items():
            count = sum(row.values["label"] == label for row in parts[split])
            assert abs(count - n * share) < (1 if split == "test" else 2)


def intents(each):
    return [(f"intent_{i:02}", f"intent {i} row {k}") for i in range(77) for k in range(each)]


@pytest.mark.parametrize(
    ("each", "test", "validation", "sizes"),
    [
        (4, 0.25, 0.1, (77, 31, 200)),
        (5, 0.3, 0.1, (116, 38, 231)),
        (4, 0.1, 0.1, (31, 31, 246)),
        (5, 0.4, 0.5, (154, 193, 38)),
        (1, 0.3, 0.1, (23, 8, 46)),
    ],
)
def test_labels_of_few_rows_are_cut_by_the_largest_remainder_over_all(
    each, test, validation, sizes
):
    shares = SplitSpec(test=test, validation=validation)
    parts = cut(raw_rows(intents(each)), COLUMNS, shares, by_target=True)
    assert (len(parts["test"]), len(parts["validation"]), len(parts["train"])) == sizes
    for split, share in (("test", test), ("validation", validation)):
        counts = Counter(row.values["label"] for row in parts[split])
        assert max(counts.values()) <= -(-each * share // 1)
        assert min(counts[label] for label, _ in intents(1)) >= each * share // 1


def test_a_large_label_beside_many_single_ones_keeps_its_share():
    pairs = [("large", f"large {i}") for i in range(1000)] + [(f"l{i}", f"{i}") for i in range(300)]
    parts = cut(raw_rows(pairs), COLUMNS, SHARES, by_target=True)
    counts = {name: Counter(r.values["label"] for r in part) for name, part in parts.items()}
    assert (counts["test"]["large"], len(parts["test"])) == (300, 390)
    assert (counts["validation"]["large"], len(parts["validation"])) == (100, 130)


@pytest.mark.parametrize("n", [40, 400])
def test_copies_of_inputs_do_not_move_the_sizes(n):
    pairs = [("ab"[i % 2], f"text {i}") for i in range(n)]
    pairs += [("a", "the same text")] * (n // 10) + [("b", f"Text {i}!") for i in range(n // 10)]
    parts = cut(raw_rows(pairs), COLUMNS, SHARES, by_target=True)
    assert abs(len(parts["test"]) - 0.3 * len(pairs)) <= 1
    assert abs(len(parts["validation"]) - 0.1 * len(pairs)) <= 1


def test_labels_that_differ_in_their_encoding_alone_are_one_stratum():
    pairs = [(("caf\u00e9", "cafe\u0301")[i % 2], f"row {i}") for i in range(20)]
    parts = cut(raw_rows(pairs), COLUMNS, SplitSpec(test=0.05, validation=0.05), by_target=True)
    assert [len(part) for part in parts.values()] == [18, 1, 1]


def clustered(sizes, label=lambda cluster, row: "ab"[cluster % 2]):
    return [
        Row(
            f"f:{cluster}",
            row,
            {"text": f"sentence {cluster} {row}", "label": label(cluster, row), "doc": cluster},
        )
        for cluster, size in enumerate(sizes)
        for row in range(size)
    ]


CLUSTERED = Data(input="text", target="label", cluster="doc")


def docs(part):
    return {row.values["doc"] for row in part}


def test_a_cluster_stays_whole():
    parts = cut(clustered([10] * 10), CLUSTERED, SHARES, by_target=True)
    assert [len(part) for part in parts.values()] == [60, 10, 30]
    assert not docs(parts["test"]) & docs(parts["train"] + parts["validation"])
    assert not docs(parts["validation"]) & docs(parts["train"])


@given(st.lists(st.integers(1, 9), min_size=10, max_size=40), st.integers(0, 9), st.booleans())
def test_clusters_of_any_sizes_come_near_the_shares_and_stay_whole(sizes, seed, by_target):
    shares = SplitSpec(seed=seed)
    rows_ = clustered(sizes, lambda cluster, row: "abc"[(cluster + row) % 3])
    parts = cut(rows_, CLUSTERED, shares, by_target=by_target)
    again = cut(rows_[::-1], CLUSTERED, shares, by_target=by_target)
    assert {name: docs(part) for name, part in parts.items()} == {
        name: docs(part) for name, part in again.items()
    }
    assert sum(len(docs(part)) for part in parts.values()) == len(sizes)
    assert abs(len(parts["test"]) - 0.3 * len(rows_)) <= max(sizes) / 2 + 1
    assert abs(len(parts["validation"]) - 0.1 * len(rows_)) <= max(sizes) / 2 + 1


def test_one_cluster_of_most_rows_goes_to_train():
    parts = cut(clustered([80, *[2] * 10]), CLUSTERED, SHARES, by_target=True)
    assert docs(parts["train"]) == {0}
    assert len(parts["test"]) + len(parts["validation"]) == 20


def test_the_same_text_with_other_visible_fields_is_another_input():
    rows_ = [
        Row("f", i, {"text": "8", "asked": f"slot {i}", "label": "ab"[i % 2]}) for i in range(20)
    ]
    seen = Data(input="text", target="label", visible=["asked"])
    assert [len(part) for part in cut(rows_, seen, SHARES, by_target=True).values()] == [12, 2, 6]


def test_another_seed_is_another_cut():
    pairs = [("a", f"input {i}") for i in range(40)]
    tests = {
        tuple(
            sorted(
                row.where
                for row in cut(raw_rows(pairs), COLUMNS, SplitSpec(seed=seed), by_target=True)[
                    "test"
                ]
            )
        )
        for seed in range(5)
    }
    assert len(tests) == 5


def test_one_file_is_cut_into_three_without_leaks(tmp_path):
    some = rows("row", 50)
    some += [{"id": f"again{i}", "text": f"ROW: text {i}!", "label": "ab"[i % 2]} for i in range(9)]
    random.Random(1).shuffle(some)
    task = load_task(write(tmp_path, all_task(), all_jsonl=some))
    assert len(task.train) + len(task.validation) + len(task.test) == 59
    assert task.data.leaked_ids == ()
    assert {target for row in task.truth for target in row.targets} == {"a", "b"}


def test_free_text_answers_can_be_cut_too(tmp_path):
    some = [{"id": i, "text": f"question {i}", "label": f"answer {i}"} for i in range(40)]
    text = all_task(answer={"kind": "text"}, metric="exact_match")
    task = load_task(write(tmp_path, text, all_jsonl=some))
    assert (len(task.train), len(task.validation), len(task.test)) == (24, 4, 12)


def test_a_share_that_nobody_wrote_may_be_empty(tmp_path):
    task = load_task(write(tmp_path, all_task({"test": 0.3}), all_jsonl=rows("row", 3)))
    assert (len(task.train), len(task.validation), len(task.test)) == (2, 0, 1)


def test_a_share_without_a_row_is_told_with_the_figures_and_its_remedies_work(tmp_path):
    (line,) = told(write(tmp_path, all_task(), all_jsonl=rows("row", 2)))
    assert line == (
        "task.yaml:7 split.validation: 0.1 of 2 rows is 0.2, and no row came into validation"
        " → write at least 0.5, or write 0 to go without, or add rows"
    )
    assert (
        told(write(tmp_path, all_task({"test": 0.3, "validation": 0}), all_jsonl=rows("row", 2)))
        == []
    )
    (line,) = told(
        write(tmp_path, all_task({"test": 0.01, "validation": 0.1}), all_jsonl=rows("row", 20))
    )
    assert line == (
        "task.yaml:7 split.test: 0.01 of 20 rows is 0.2, and no row came into test"
        " → write at least 0.05, or add rows"
    )
    assert (
        told(
            write(tmp_path, all_task({"test": 0.05, "validation": 0.1}), all_jsonl=rows("row", 20))
        )
        == []
    )


def test_clusters_too_large_for_a_share_are_told_with_their_size(tmp_path):
    some = [{**row.values, "id": f"r{i}"} for i, row in enumerate(clustered([40, 30, 30]))]
    text = task_text(
        data=data(train=None, test=None, all="all.jsonl", cluster="doc"),
        split={"test": 0.3, "validation": 0.1},
    )
    (line,) = told(write(tmp_path, text, all_jsonl=some))
    assert line == (
        "task.yaml:7 split.validation: 0.1 of 100 rows is 10.0, and no row came into validation:"
        " the smallest rows that belong together are 30 → write at least 0.3, or write 0 to go"
        " without, or add rows"
    )
    for line in (text.replace("0.1}", "0.3}"), text.replace("0.1}", "0}")):
        assert told(write(tmp_path, line, all_jsonl=some)) == []


def test_shares_of_more_than_everything_are_refused(tmp_path):
    split = {"test": 0.7, "validation": 0.4}
    (line,) = told(write(tmp_path, all_task(split), all_jsonl=rows("row", 20)))
    assert line.startswith("task.yaml:7 split: test 0.7 and validation 0.4")


def test_one_file_without_shares_is_refused_with_an_example(tmp_path):
    text = task_text(data=data(train=None, test=None, all="all.jsonl"))
    (line,) = told(write(tmp_path, text, all_jsonl=rows("row", 20)))
    assert line.endswith("→ add e.g. split: {test: 0.3, validation: 0.1}")


def test_faults_of_a_cut_file_keep_their_lines(tmp_path):
    content = jsonl(rows("row", 20)) + '{"id": "x", "text": null, "label": "a"}\n'
    (line,) = told(write(tmp_path, all_task(), all_jsonl=content))
    assert line.startswith("all.jsonl:21: 'text' is null")


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_rows_added_later_leave_most_rows_where_they_are(seed):
    shares = SplitSpec(seed=seed)
    pairs = [("a", f"{seed} {i}") for i in range(100)]
    before = cut(raw_rows(pairs), COLUMNS, shares, by_target=True)
    after = cut(raw_rows([*pairs, ("a", "new")]), COLUMNS, shares, by_target=True)
    home = {row.values["text"]: name for name, part in before.items() for row in part}
    moved = sum(
        home.get(row.values["text"], name) != name for name, part in after.items() for row in part
    )
    assert moved <= 2
