"""The audit: leaks between splits, repeats, and the margin that a test size can certify."""

import numpy as np
import pytest
from sentences import sentences
from task_folder import data, rows, task_text, write

from harness.task import load_task
from harness.task.audit.clusters import independent_rows
from harness.task.audit.test_size import confirmable_margin
from harness.task.subsample import limited


def row(row_id, text, label="a"):
    return {"id": row_id, "text": text, "label": label}


def test_300_rows_certify_about_4_5_points_as_the_design_says():
    assert confirmable_margin(300) == pytest.approx(0.045, abs=0.0005)


def test_four_times_the_rows_certify_half_the_margin():
    assert confirmable_margin(1200) == pytest.approx(confirmable_margin(300) / 2)


def test_the_margin_is_certified_in_80_percent_of_simulated_test_sets():
    n, discordance = 1000, 0.10
    draw = np.random.default_rng(0)
    counts = draw.multinomial(n, [discordance / 2, discordance / 2, 1 - discordance], 20_000)
    wins, losses = counts[:, 0], counts[:, 1]
    difference = (wins - losses) / n
    error = np.sqrt((wins + losses) / n - difference**2) / np.sqrt(n)
    certified = difference + 1.6449 * error < confirmable_margin(n, discordance)
    assert certified.mean() == pytest.approx(0.80, abs=0.01)


def test_test_inputs_that_stand_in_train_or_validation_are_found_not_refused(tmp_path):
    text = task_text(data=data(validation="validation.jsonl"))
    path = write(
        tmp_path,
        text,
        train_jsonl=[row("r1", "My bike broke!"), row("r2", "Hello")],
        validation_jsonl=[row("v1", "Where is it?")],
        test_jsonl=[
            row("t1", "my bike, broke", "b"),
            row("t2", "WHERE IS IT"),
            row("t3", "new"),
            row("t4", "new 2"),
        ],
    )
    found = load_task(path).data
    assert found.leaked_ids == ("t1", "t2")
    assert found.findings[0].text.startswith("2 of 4 test inputs also stand in train or validation")
    assert "t1, t2" in found.findings[0].text


def test_test_inputs_that_stand_in_the_documents_are_named(tmp_path):
    asked = "How do I return a bike at the harbour?"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/faq.md").write_text(f"# FAQ\n\n**{asked.upper()}**\nAt gate 3. Hello.")
    path = write(
        tmp_path,
        task_text(data=data(corpus="docs")),
        test_jsonl=[row("t1", asked), row("t2", "Hello"), row("t3", "How do I return a bike?")],
    )
    found = load_task(path).data
    assert found.leaked_ids == ()
    (said,) = [text for text in sentences(found.findings) if "word for word" in text]
    assert said.startswith("1 of 3 test inputs stand word for word in the documents (t1): ")


def test_repeats_inside_a_split_are_counted(tmp_path):
    repeated = [row(1, "x"), row(2, "X!"), row(3, "x."), row(4, "y")]
    findings = sentences(load_task(write(tmp_path, test_jsonl=repeated)).data.findings)
    assert "2 inputs of test repeat an earlier one of test" in findings


def test_of_a_clean_task_only_what_its_size_can_show_is_said(tmp_path):
    data = load_task(write(tmp_path, task_text(margin=0.99))).data
    assert data.findings == ()
    (expected,) = data.expectations
    assert expected.text.startswith("with 6 test rows the smallest margin")


@pytest.mark.parametrize(("margin", "warned"), [(0.05, True), (0.5, False)])
def test_a_margin_too_small_for_the_test_set_is_said_before_the_run(tmp_path, margin, warned):
    path = write(tmp_path, task_text(margin=margin), test_jsonl=rows("test", 100))
    found = sentences(load_task(path).data.expectations)
    assert any("is smaller than that" in finding for finding in found) is warned


def test_what_a_margin_of_nothing_means_is_said_before_the_run(tmp_path):
    path = write(tmp_path, task_text(margin=0.0), test_jsonl=rows("test", 100))
    *_, said = load_task(path).data.expectations
    assert "only if every other arm is significantly worse" in said.text


def test_labels_that_no_training_row_has_are_named_before_the_run(tmp_path):
    asked = [*rows("test", 4), row("t9", "what now", "c"), row("t10", "and now", "c")]
    labels = {"kind": "choice", "labels": ["a", "b", "c"]}
    path = write(tmp_path, task_text(answer=labels), test_jsonl=asked)
    found = [finding.text for finding in load_task(path).data.findings]
    assert (
        "2 test rows have a label that no training row has (c):"
        " arms that learn labels from rows cannot answer with it"
    ) in found


ASKED = data(visible=["asked"])


def slot(row_id, text, asked, label):
    return {"id": row_id, "text": text, "asked": asked, "label": label}


def test_inputs_with_other_visible_fields_are_neither_leaks_nor_repeats(tmp_path):
    train = [slot(1, "13", "time", "a"), slot(2, "13", "people", "b"), slot(3, "7 pm", "time", "a")]
    test = [slot(4, "7 pm", "none", "a"), slot(5, "8", "time", "a"), slot(6, "8", "people", "b")]
    task = load_task(write(tmp_path, task_text(data=ASKED), train_jsonl=train, test_jsonl=test))
    assert (task.data.leaked_ids, task.data.findings) == ((), ())


@pytest.mark.parametrize(
    ("text", "asked", "leaks"),
    [
        ("7 PM!", "Time", True),  # case and marks, in text and fields
        ("7 pm", "time of day", False),
        ("7", "pm time", False),  # what stands in a field does not stand in the text
        ("7 pm time", "", False),
    ],
)
def test_text_and_fields_are_compared_each_for_itself(tmp_path, text, asked, leaks):
    train, test = [slot(1, "7 pm", "time", "a")], [slot(2, text, asked, "a")]
    task = load_task(write(tmp_path, task_text(data=ASKED), train_jsonl=train, test_jsonl=test))
    assert task.data.leaked_ids == (("2",) if leaks else ())


def test_letters_are_the_same_however_their_marks_are_encoded(tmp_path):
    path = write(
        tmp_path, train_jsonl=[row(1, "Caf\u00e9 zu?")], test_jsonl=[row(2, "cafe\u0301 zu")]
    )
    assert load_task(path).data.leaked_ids == ("2",)


def clustered(split, sizes, first=0):
    return [
        {**row(f"{split}{cluster}.{i}", f"{split} {cluster} {i}", "ab"[i % 2]), "doc": cluster}
        for cluster, size in enumerate(sizes, start=first)
        for i in range(size)
    ]


def cluster_task(folder, train, test, **changes):
    text = task_text(data=data(cluster="doc"), **changes)
    return load_task(write(folder, text, train_jsonl=train, test_jsonl=test)).data


def test_clusters_on_both_sides_of_given_splits_are_counted_and_named(tmp_path):
    train, test = clustered("train", [2, 2, 2]), clustered("test", [3, 1, 4], first=1)
    (found,) = cluster_task(tmp_path, train, test).findings
    assert found.text.startswith(
        "2 of 3 test clusters (1, 2), with 4 of 8 test rows, also stand in train or validation: "
    )
    assert found.count == 4
    assert found.rows == ("test1.0", "test1.1", "test1.2", "test2.0")


def test_clusters_of_one_side_each_are_no_finding(tmp_path):
    train, test = clustered("train", [2, 2]), clustered("test", [2, 2], first=2)
    assert cluster_task(tmp_path, train, test).findings == ()


def test_the_margin_that_can_be_confirmed_is_one_of_clusters(tmp_path):
    train, test = clustered("train", [10], first=9), clustered("test", [100, 100, 100])
    said, warned = cluster_task(tmp_path, train, test, margin=0.05).expectations
    assert said.text == (
        "with 300 test rows in 3 clusters the smallest margin that can be confirmed is about 45.4"
        " points if two arms differ on 10% of rows and the rows of a cluster are alike (4.5 if they"
        " are not): a guess until they have run"
    )
    assert warned.remedy == "add test rows of further clusters, or accept a larger margin"


@pytest.mark.parametrize(
    ("sizes", "worth"),
    [([1] * 8, 8), ([8], 1), ([4, 4], 2), ([6, 1, 1], 64 / 38), ([2, 1, 1], 16 / 6)],
)
def test_rows_of_a_cluster_count_together(sizes, worth):
    rows_ = [str(cluster) for cluster, size in enumerate(sizes) for _ in range(size)]
    assert independent_rows(rows_) == pytest.approx(worth)
    assert independent_rows([None] * 5) == 5


def test_a_sample_of_test_rows_is_worth_the_clusters_that_are_left(tmp_path):
    text = task_text(data=data(cluster="doc"), margin=0.05)
    train, test = clustered("train", [10], first=9), clustered("test", [20] * 3)
    task = limited(load_task(write(tmp_path, text, train_jsonl=train, test_jsonl=test)), 2)
    assert task.clusters["test"] == tuple(row.cluster for row in task.truth)
    assert task.data.expectations[0].text.startswith("with 2 test rows in ")
