"""Metrics for which not all rows, and not all arms, count, from run folders made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hand_made import Arm, rewritten, right, unmarked, write_run

from harness.analysis import analyse, compare, compared_lines
from harness.errors import UserError
from harness.metrics import find
from harness.stats.bootstrap import RESAMPLES, bootstrap
from harness.stats.intervals import tango, wilson
from harness.store.run_folder import read_jsonl, write_jsonl
from harness.types import Prediction
from reports import html
from reports import whole_markdown as markdown

N = 80
PHRASE = "not in the handbook"
EVIDENCE = {"evidence": [["oil"] if row % 2 else [] for row in range(N)]}
ANSWERED = ["5 litres"] * N
TEXT = {"answer": {"kind": "text"}, "metric": "exact_match"}


def citing(*sources):
    """Answers that cite, row after row, what `sources` says in turn."""
    return [Prediction("5 litres", sources=sources[row % len(sources)]) for row in range(N)]


def text_run(path, arms, documents=(), targets=ANSWERED, truth=EVIDENCE, **task):
    folder = write_run(path, targets, arms, truth=truth, **TEXT | task)
    if documents:
        write_jsonl(folder.documents, ({"id": i, "title": "", "text": t} for i, t in documents))
    return folder


def rows_of(comparison):
    return {row.strategy: row for row in comparison.arms}


def test_only_rows_with_evidence_count_in_value_interval_and_n(tmp_path):
    # Odd rows have evidence; of those every other one cites it.
    arm = Arm("a", [citing(("x",), ("oil", "x"), ("x",), ("x", "y"))])
    row = analyse(text_run(tmp_path, [arm], also=["recall_at_3"])).arms[0]
    score = row.also[0]
    assert (score.metric, score.value, score.n) == ("recall_at_3", 0.5, N // 2)
    assert (score.ci_low, score.ci_high) == pytest.approx(wilson(N // 4, N // 2))


def test_an_arm_that_cites_nothing_has_no_further_score_of_citations(tmp_path):
    arms = [Arm("cites", [citing(("oil",))]), Arm("mute", [ANSWERED])]
    comparison = analyse(text_run(tmp_path, arms, also=["mrr", "recall_at_1"]))
    rows = rows_of(comparison)
    assert [score.value for score in rows["cites"].also] == [1, 1]
    assert [(s.value, s.undefined) for s in rows["mute"].also] == [(None, "cites nothing")] * 2
    for page in (markdown(comparison), html(comparison)):
        assert "mrr – (cites nothing)" in page
        assert "mrr 1.000 (" in page


def test_an_arm_that_cites_nothing_scores_zero_where_citing_is_the_task(tmp_path):
    good = Arm("good", [citing(("x",), ("oil",), ("x",), ("oil",), ("x",), ("x",))])
    # 40 rows count: what none of them shows may still be 3 / 40, more than the usual margin.
    folder = text_run(tmp_path, [good, Arm("mute", [ANSWERED])], metric="recall_at_1", margin=0.08)
    comparison = analyse(folder)
    rows = rows_of(comparison)
    assert rows["mute"].score.value == 0
    assert rows["good"].score.value == pytest.approx(27 / 40)
    found = comparison.recommendation
    assert (found.verdict, found.choice) == ("choose", "good")
    assert any(f"on {N // 2} test rows" in reason for reason in found.reasons)
    (difference,) = comparison.differences
    assert (difference.ci_low, difference.ci_high) == pytest.approx(tango(0, 27, N // 2))


def test_an_arm_that_is_never_grounded_scores_zero_and_loses(tmp_path):
    documents = [("oil", "Fill in 5 litres of oil."), ("x", "Fill in 5 pints.")]
    arms = [Arm("good", [citing(("oil",), ("x",))]), Arm("mute", [ANSWERED])]
    comparison = analyse(text_run(tmp_path, arms, documents, metric="grounded"))
    rows = rows_of(comparison)
    assert rows["good"].score.value == pytest.approx((1 + 1 / 2) / 2)
    assert rows["mute"].score.value == 0
    assert comparison.recommendation.choice == "good"
    assert any("mute scores 0" in finding for finding in comparison.findings)


def test_questions_without_an_answer_are_told_of_by_themselves(tmp_path):
    targets = [PHRASE if row < 40 else "5 litres" for row in range(N)]
    answers = [[PHRASE if row % 4 else "5 litres" for row in range(N)]]
    answers[0][0] = Prediction("", error="too long")
    answer = {"kind": "text", "no_answer": PHRASE}
    also = ["declined_unanswerable"]
    arms = [Arm("a", answers), Arm("bold", [ANSWERED])]
    comparison = analyse(text_run(tmp_path, arms, targets=targets, answer=answer, also=also))
    rows = rows_of(comparison)
    assert rows["a"].also[0].value == pytest.approx(30 / 40)
    assert (rows["a"].unanswerable.answered_anyway, rows["a"].unanswerable.n) == (9 / 40, 40)
    for page in (markdown(comparison), html(comparison)):
        assert "answered 9 of 40 unanswerable questions instead of declining" in page
        assert "answered 40 of 40 unanswerable questions instead of declining" in page


def test_where_all_questions_have_an_answer_there_is_no_share_of_declined_ones(tmp_path):
    answer = {"kind": "text", "no_answer": PHRASE}
    also = ["declined_unanswerable"]
    comparison = analyse(text_run(tmp_path, [Arm("a", [ANSWERED])], answer=answer, also=also))
    (row,) = comparison.arms
    assert (row.also[0].value, row.also[0].n, row.unanswerable) == (None, 0, None)
    assert "declined_unanswerable – (none of these questions is without an answer)" in markdown(
        comparison
    )
    assert "all the same" not in markdown(comparison) + html(comparison)
    assert "NaN" not in comparison.model_dump_json()


def test_a_slice_in_which_nothing_counts_is_a_dash(tmp_path):
    slices = {"slices": [{"kind": "odd" if row % 2 else "even"} for row in range(N)]}
    data = {"test": "test.jsonl", "slices": ["kind"]}
    folder = text_run(
        tmp_path,
        [Arm("a", [citing(("oil",))])],
        truth=EVIDENCE | slices,
        metric="mrr",
        **{"strategies": [{"use": "majority", "name": "a"}]},
    )
    header = folder.last_header()
    task = header.task | {"data": header.task["data"] | data}
    folder.append(header.model_copy(update={"task": task}))
    comparison = analyse(folder)
    values = {s.value: s.score.value for s in comparison.arms[0].slices}
    assert values == {"odd": 1, "even": None}
    assert "kind: even" in markdown(comparison)
    assert "kind: even" in html(comparison)


def test_each_label_has_its_precision_and_recall(tmp_path):
    # yes: 60 rows, of which 45 found; 55 answers, of which 45 right. no: 20, 10 found.
    targets = ["yes"] * 60 + ["no"] * 20
    answers = ["yes"] * 45 + ["no"] * 15 + ["yes"] * 10 + ["no"] * 10
    labels = ["yes", "no", "never"]
    comparison = analyse(
        write_run(
            tmp_path,
            targets,
            [Arm("a", [answers])],
            answer={"kind": "choice", "labels": labels},
        )
    )
    yes, no, never = comparison.arms[0].classes
    assert (yes.precision, yes.recall, yes.n) == (45 / 55, 45 / 60, 60)
    assert (no.precision, no.recall, no.n) == (10 / 25, 10 / 20, 20)
    assert (never.precision, never.recall, never.n) == (None, None, 0)
    assert "| yes | 60 | 0.750 |" in markdown(comparison)
    assert '<th scope="row">never</th><td>0</td><td>–</td>' in html(comparison)


def test_a_table_of_more_labels_than_are_read_is_left_out(tmp_path):
    labels = ["yes", "no", *map(str, range(99))]
    targets = ["yes", "no"] * 40
    arms = [Arm("a", [right(targets)])]
    answer = {"kind": "choice", "labels": labels}
    assert analyse(write_run(tmp_path, targets, arms, answer=answer)).arms[0].classes == ()


def test_json_answers_are_judged_by_the_schema_of_the_run(tmp_path):
    schema = {"properties": {"n": {"type": "integer"}}}
    targets = ['{"n": 1}'] * N
    answers = ['{"n":1}', '{"n": 2}', '{"n": "1"}', "one"] * (N // 4)
    answer = {"kind": "json", "schema": schema}
    folder = write_run(
        tmp_path,
        targets,
        [Arm("a", [answers])],
        answer=answer,
        metric="exact_match",
        also=["json_valid", "field_f1"],
    )
    row = analyse(folder).arms[0]
    assert row.score.value == 1 / 4
    assert [score.value for score in row.also] == pytest.approx([1 / 2, 2 * 20 / (60 + 80)])


def own_metric_run(path, n_right, **more):
    path.mkdir()
    (path / "own.py").write_text(
        "def half(answer, targets):\n    return 0.5 * (answer in targets)\n"
    )
    folder = text_run(path / "run", [Arm("a", [["5 litres"] * n_right + ["x"] * (N - n_right)])])
    header = folder.last_header()
    task = header.task | {"metric": "own.py:half"}
    folder.append(header.model_copy(update={"task": task, "task_folder": str(path)}))
    return folder


@pytest.mark.process  # a metric of one's own is scored in a process of its own
def test_a_tasks_own_metric_is_judged_item_by_item(tmp_path):
    few, many = own_metric_run(tmp_path / "one", 20), own_metric_run(tmp_path / "two", 60)
    score = analyse(few, trust=True).arms[0].score
    assert (score.metric, score.value) == ("own.py:half", 0.5 * 20 / N)
    assert 0 < score.ci_low < score.value < score.ci_high < 0.5
    told = list(compared_lines(compare(few, many, trust=True)))
    assert told[1].startswith("a: +25.0 points")


@pytest.mark.process  # a metric of one's own is scored in a process of its own
def test_a_report_says_that_a_metrics_file_is_gone(tmp_path):
    folder = own_metric_run(tmp_path / "one", 20)
    (tmp_path / "one" / "own.py").rename(tmp_path / "moved.py")
    with pytest.raises(UserError, match=r"metric 'own.py:half': there is no file .*own\.py →"):
        analyse(folder, trust=True)


def test_a_run_recorded_before_evidence_was_is_still_judged(tmp_path):
    folder = text_run(tmp_path, [Arm("a", [ANSWERED])])
    rows = [{k: v for k, v in row.items() if k != "evidence"} for row in read_jsonl(folder.truth)]
    folder.truth.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = folder.records.read_text().splitlines()
    header = unmarked(lines[0])
    del header["task_folder"], header["task"]["answer"]["schema"]
    del header["task"]["answer"]["no_answer"], header["task"]["data"]["evidence"]
    rewritten(folder, [header, *lines[1:]])
    assert analyse(folder).arms[0].score.value == 1


def values(*rows):
    """One seed of items, each a value that counts or None."""
    return np.array([[(0.0, 0.0) if v is None else (v, 1.0) for v in row] for row in rows])


def test_the_spread_is_that_of_the_rows_that_count():
    of_arm = values([1.0] * 80 + [0.0] * 20 + [None] * 300)
    resampled = bootstrap(find("mrr"), [of_arm])
    assert resampled.shape == (1, RESAMPLES)
    assert resampled.std() == pytest.approx(np.sqrt(0.8 * 0.2 / 100), rel=0.04)


def test_resamples_in_which_nothing_counts_are_left_out():
    # One row of 20 counts: it is missing from a share (19/20)^20 of the resamples.
    resampled = bootstrap(find("mrr"), [values([0.5] + [None] * 19)] * 2)
    assert resampled.shape[1] == pytest.approx(RESAMPLES * (1 - 0.95**20), rel=0.03)
    assert (resampled == 0.5).all()


def test_an_arm_of_which_nothing_counts_is_worth_nothing_beside_others():
    arms = [values([0.5] * 20), values([None] * 20)]
    resampled = bootstrap(find("mrr"), arms)
    assert resampled.shape == (2, RESAMPLES)
    assert (resampled[0] == 0.5).all()
    assert (resampled[1] == 0).all()
