"""The audit: leaks between splits, repeats, and the margin that a test size can certify."""

import numpy as np
import pytest
from task_folder import data, rows, task_text, write

from harness.task import load_task
from harness.task.audit.findings import confirmable_margin


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
    assert found.findings[0].startswith("2 of 4 test inputs also stand in train or validation")
    assert "t1, t2" in found.findings[0]


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
    (said,) = [text for text in found.findings if "word for word" in text]
    assert said.startswith("1 of 3 test inputs stand word for word in the documents (t1): ")


def test_repeats_inside_a_split_are_counted(tmp_path):
    repeated = [row(1, "x"), row(2, "X!"), row(3, "x."), row(4, "y")]
    findings = load_task(write(tmp_path, test_jsonl=repeated)).data.findings
    assert "2 inputs of test repeat an earlier one of test" in findings


def test_of_a_clean_task_only_what_its_size_can_show_is_said(tmp_path):
    data = load_task(write(tmp_path, task_text(margin=0.99))).data
    assert data.findings == ()
    (expected,) = data.expectations
    assert expected.startswith("with 6 test rows the smallest margin")


@pytest.mark.parametrize(("margin", "warned"), [(0.05, True), (0.5, False)])
def test_a_margin_too_small_for_the_test_set_is_said_before_the_run(tmp_path, margin, warned):
    path = write(tmp_path, task_text(margin=margin), test_jsonl=rows("test", 100))
    found = load_task(path).data.expectations
    assert any("is smaller than that" in finding for finding in found) is warned


def test_what_a_margin_of_nothing_means_is_said_before_the_run(tmp_path):
    path = write(tmp_path, task_text(margin=0.0), test_jsonl=rows("test", 100))
    *_, said = load_task(path).data.expectations
    assert "only if every other arm is significantly worse" in said


def test_labels_that_no_training_row_has_are_named_before_the_run(tmp_path):
    asked = [*rows("test", 4), row("t9", "what now", "c"), row("t10", "and now", "c")]
    labels = {"kind": "choice", "labels": ["a", "b", "c"]}
    found = load_task(write(tmp_path, task_text(answer=labels), test_jsonl=asked)).data.findings
    assert (
        "2 test rows have a label that no training row has (c):"
        " arms that learn labels from rows cannot answer with it"
    ) in found
