"""Statistics per item are computed once for each arm, whatever is asked of them."""

from __future__ import annotations

from hand_made import TARGETS, Arm, right, write_run

from harness import metrics
from harness.analysis import analyse
from harness.analysis.read_run import read_run

ROWS = 300


def text_run(path, arms):
    """Return a run of free text with 22 slice values, leaked rows and two metrics."""
    targets = [f"the cat sat on mat {row % 9}" for row in range(ROWS)]
    answers = [target if row % 3 else "the dog sat" for row, target in enumerate(targets)]
    folder = write_run(
        path,
        targets,
        [Arm(name, [answers]) for name in arms],
        answer={"kind": "text"},
        metric="rouge_l",
        also=["exact_match"],
        truth={"slices": [{"a": str(row % 12), "b": str(row % 10)} for row in range(ROWS)]},
        data={"leaked_ids": ("r0", "r1")},
    )
    header = folder.last_header()
    task = {**header.task, "data": {**header.task["data"], "slices": ["a", "b"]}}
    folder.append(header.model_copy(update={"task": task}))
    return folder


def test_each_answer_is_scored_once_however_many_slices_and_pairs_there_are(tmp_path, monkeypatch):
    from rouge_score.rouge_scorer import RougeScorer

    scored, score = [], RougeScorer.score

    def counted(self, target, prediction):
        scored.append(prediction)
        return score(self, target, prediction)

    monkeypatch.setattr(RougeScorer, "score", counted)
    comparison = analyse(text_run(tmp_path, ["one", "other"]))
    assert len(comparison.arms[0].slices) == 22
    assert comparison.arms[0].without_leaks.n == ROWS - 2
    assert comparison.differences
    assert len(scored) == 2 * ROWS


def test_metrics_that_share_their_statistics_share_one_array_which_nobody_can_change(tmp_path):
    run = read_run(write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS)] * 2)], seeds=(0, 1)))
    first, second = (
        run.statistics(run.arms[0], metrics.find(name))
        for name in ("macro_f1", "balanced_accuracy")
    )
    assert first is second
    assert first.shape[:2] == (2, len(TARGETS))
    assert not first.flags.writeable
    assert run.statistics(run.arms[0], metrics.find("accuracy")) is not first


def test_statistics_of_other_answers_are_those_of_their_rows(tmp_path):
    run = read_run(write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS, [3])])]))
    arm, accuracy, rows = run.arms[0], metrics.find("accuracy"), [1, 3, 7]
    given = [arm.predictions[0][row] for row in rows]
    assert (
        run.statistics_of(accuracy, given, rows) == run.statistics(arm, accuracy)[0, rows]
    ).all()
