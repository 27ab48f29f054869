"""`arms`: what its peers may see, and how families are pooled. No model."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from benchmarks import arms
from benchmarks.arm_peers.classic import sklearn_union
from benchmarks.arm_peers.cut import Cut, target
from benchmarks.arms_page import drawn, pooled
from benchmarks.findings import Arm, Findings, Value

OURS = arms.Contest("prompted", {"use": "few_shot"}, "peer")
CONTESTS = {"one": (OURS,), "two": (OURS,)}


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
    found = {"one": findings(value(0.05, 0.0392)), "two": findings(value(-0.01, 0.0392))}
    # Standard errors of 0.02 each: 0.02·√2 / 2 for the mean, and 1.645 of it below 0.02.
    assert [asdict(family) for family in pooled(found, CONTESTS)] == [
        {
            "family": "prompted",
            "cuts": 2,
            "difference": pytest.approx(0.02),
            "low": pytest.approx(0.02 - 1.645 * 0.0141421356, abs=1e-6),
        }
    ]


@pytest.mark.parametrize(("middle", "holds"), [(0.03, True), (0.0, False), (-0.1, False)])
def test_a_family_holds_if_its_bound_is_above_two_points_below_its_peer(middle, holds):
    (family,) = pooled({"one": findings(value(middle, 0.0392))}, {"one": (OURS,)})
    assert family.holds is holds  # the bound is 0.0329 below the middle


def test_the_page_names_every_contest_and_what_has_not_been_run():
    page = drawn({"one": findings(value(-0.012, 0.01))}, CONTESTS)
    assert "| prompted | 1 | −1.2 | −2.0 | not shown |" in page
    assert "| `few_shot` | 0.500 | `peer` | 0.512 | −1.2 (−2.2 to −0.2) |" in page
    assert "Cuts that have not been run yet: `two`." in page


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
