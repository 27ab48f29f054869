"""`arms`: what its peers may see, and how families are pooled. No model."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from fake_sides import FakeSides

from benchmarks import arms
from benchmarks.arm_peers import answers
from benchmarks.arm_peers.classic import sklearn_union
from benchmarks.arm_peers.cut import Cut, target
from benchmarks.arms_page import drawn, pooled
from benchmarks.findings import Arm, Findings, Value, kept
from benchmarks.sides import SideError

OURS = arms.Contest("prompted", {"use": "few_shot"}, "peer")
ROUNDS = (arms.Round("one", (OURS,)), arms.Round("two", (OURS,)))
ONE, TWO = (each.name for each in ROUNDS)


def value(middle, half):
    return Value(value=middle, ci_low=middle - half, ci_high=middle + half)


def findings(difference, **more):
    """What a cut came to: ours less the peer's, with its interval."""
    scored = {"few_shot": value(0.5, 0.1), "peer": value(0.5 - difference.value, 0.1)}
    return Findings(
        started_on="2026-11-30",
        git_commit=None,
        machine="2 cores of a machine",
        headline="",
        metric="accuracy",
        arms=tuple(Arm(name=name, status="ok", score=score) for name, score in scored.items()),
        models=(),
        differences={"peer": {"few_shot": difference}},
        **more,
    )


def test_a_family_is_the_mean_of_its_cuts_and_its_variances_add_up():
    found = {ONE: findings(value(0.05, 0.0392)), TWO: findings(value(-0.01, 0.0392))}
    # Standard errors of 0.02 each: 0.02·√2 / 2 for the mean, and 1.645 of it below 0.02.
    assert [asdict(family) for family in pooled(found, ROUNDS)] == [
        {
            "family": "prompted",
            "cuts": 2,
            "planned": 2,
            "difference": pytest.approx(0.02),
            "low": pytest.approx(0.02 - 1.645 * 0.0141421356, abs=1e-6),
        }
    ]


@pytest.mark.parametrize(("middle", "holds"), [(0.03, True), (0.0, False), (-0.1, False)])
def test_a_family_holds_if_its_bound_is_above_two_points_below_its_peer(middle, holds):
    (family,) = pooled({ONE: findings(value(middle, 0.0392))}, ROUNDS)
    assert (family.cuts, family.planned) == (1, 2)
    assert family.holds is holds  # the bound is 0.0329 below the middle


def test_the_page_names_every_contest_and_what_has_not_been_run():
    chosen = {"peer": "12 shots"}
    page = drawn({ONE: findings(value(-0.012, 0.01), chosen=chosen)}, ROUNDS)
    assert "| prompted | 1 of 2 | −1.2 | −2.0 | not shown, so far |" in page
    assert "| `few_shot` | 0.500 | `peer` | 0.512 | −1.2 (−2.2 to −0.2) |" in page
    assert "| two | prompted | `few_shot` | not run | `peer` | not run | – |" in page
    assert "Not run yet: `two/few_shot`." in page
    assert "- `peer` for `one/few_shot`: 12 shots" in page


def test_the_committed_page_is_what_the_kept_findings_draw():
    assert arms.PAGE.read_text() == drawn(kept(arms.PARTS, arms.FOUND), arms.ROUNDS)


def test_a_round_is_a_task_of_our_arm_and_the_peers_that_answered(tmp_path):
    cut = {"seeds": [0], "metric": "bleu", "also": ["rouge_l"], "strategies": ["majority"]}
    (round_,) = (each for each in arms.ROUNDS if each.name == "e2e_nlg/few_shot")
    task = arms.task_of(round_, cut, [tmp_path / "lm_eval_nearest.jsonl"])
    assert task["strategies"] == [
        {"use": "few_shot"},
        {
            "use": "predictions",
            "name": "lm_eval_nearest",
            "file": str(tmp_path / "lm_eval_nearest.jsonl"),
        },
    ]
    # BLEU is no mean of items: the pooled metric takes its place, and stands nowhere twice.
    assert (task["metric"], task["also"]) == ("rouge_l", [])
    assert "seeds" not in task


def test_a_peer_answers_once_and_one_that_fails_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(arms, "RUNS", tmp_path)
    values = {"answers": {"a": "card"}, "chosen": "C = 10"}
    sides = FakeSides(
        {answers: lambda peer, **_: SideError("died") if peer == "b" else (1, values)}
    )
    assert arms._peer(sides, tmp_path / "cut", "b") is None
    file = arms._peer(sides, tmp_path / "cut", "a")
    assert json.loads(file.read_text()) == {"id": "a", "text": "card"}
    assert file.with_suffix(".txt").read_text() == "C = 10"
    assert arms._peer(sides, tmp_path / "cut", "a") == file
    assert [asked["peer"] for _, asked in sides.asked] == ["b", "a"]


@pytest.fixture
def cut(tmp_path):
    """A folder as the cuts write them: two labels that one word tells apart."""
    words = {"card": "My card was lost", "cash": "No cash came out"}
    for split, n in (("train", 6), ("validation", 2), ("test", 2)):
        rows = [
            {"id": f"{split}{i}-{label}", "input": f"{text} {i}", "target": [label]}
            for i in range(n)
            for label, text in words.items()
        ]
        lines = (json.dumps(row) for row in rows)
        (tmp_path / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    answer = {"kind": "choice", "labels": list(words)}
    (tmp_path / "task.yaml").write_text(json.dumps({"answer": answer, "metric": "accuracy"}))
    return tmp_path


def test_no_peer_sees_the_answers_of_test_rows(cut):
    read = Cut(cut, "cpu")
    assert [set(row) for row in read.test] == [{"id", "input"}] * 4
    assert len(read.labelled) == 16


def test_the_union_of_features_finds_labels_that_a_word_tells_apart(cut, monkeypatch):
    # Vectors of no information: the words decide. A real embedder would take seconds to load.
    def without_information(_):
        import numpy as np

        return lambda rows: [(row["input"], np.ones(2)) for row in rows]

    monkeypatch.setattr("benchmarks.arm_peers.classic.encoder", without_information)
    found, chosen = sklearn_union(Cut(cut, "cpu"))
    assert found == ["card", "cash"] * 2
    assert "classifier__C" in chosen
    assert target({"target": ["card", "cash"]}) == "card"
