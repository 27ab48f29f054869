"""`directions`: its cuts, and what counts as reproduced. No model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from needed import needs

from benchmarks import cuts, directions, papers
from harness.judge import Comparison, Difference
from harness.task import load_task


def outcome(value, low, high, relation="better than"):
    wanted = papers.Direction("A 2020", "x beats y", "x", "y", ("cut",), relation)
    found = Difference(strategy="x", metric="accuracy", value=value, ci_low=low, ci_high=high)
    return directions.Outcome(wanted, "cut", found)


@pytest.mark.parametrize(
    ("low", "high", "relation", "found"),
    [
        (0.01, 0.09, "better than", "as reported"),
        (0.0, 0.09, "better than", "not shown"),
        (-0.04, 0.09, "better than", "not shown"),
        (-0.09, -0.01, "better than", "the other way"),
        (-0.05, 0.05, "the same as", "as reported"),
        (0.01, 0.05, "the same as", "as reported"),
        (-0.06, 0.05, "the same as", "not shown"),
        (0.02, 0.06, "the same as", "the other way"),
        (-0.2, -0.1, "the same as", "the other way"),
    ],
)
def test_all_of_the_interval_must_agree(low, high, relation, found):
    assert outcome((low + high) / 2, low, high, relation).found == found


def test_what_did_not_reproduce_is_said_with_its_figures():
    said = outcome(-0.05, -0.09, -0.01).sentence()
    assert said == (
        "A 2020: x beats y. Here it is the other way round: on `cut` `x` differs from `y` by"
        " -0.050 (-0.090 to -0.010) accuracy."
    )


def test_every_direction_names_arms_and_cuts_that_there_are(tmp_path):
    for wanted in papers.DIRECTIONS:
        assert set(wanted.cuts) <= set(cuts.WRITERS)
        for cut in set(wanted.cuts) - {"handbook_qa"}:
            arms = cuts.QUESTION_ARMS if cut == "squad" else cuts.CHOICE_ARMS
            arms = cuts.TEXT_ARMS if cut in ("snips", "e2e_nlg") else arms
            assert {wanted.arm, wanted.than} <= {name_of(arm) for arm in arms}
    shipped = load_task(cuts.handbook_qa(tmp_path, cuts.FULL))
    named = [{d.arm, d.than} for d in papers.DIRECTIONS if "handbook_qa" in d.cuts]
    assert set().union(*named) <= {arm.name for arm in shipped.spec.strategies}


@needs("banking77")
def test_the_random_model_is_made_once(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(cuts, "write_random_model", lambda folder, _: made.append(folder))
    task = cuts.write_one_billion(tmp_path, cuts.FULL)
    assert made == [tmp_path / "model"]
    assert '"./model"' in task.read_text()


def name_of(arm):
    return arm if isinstance(arm, str) else arm.get("name", arm["use"])


@needs("banking77", "squad", "snips", "e2e_nlg")
@pytest.mark.parametrize("name", [name for name in cuts.WRITERS if name != "one_billion"])
def test_a_cut_is_a_task_without_faults_and_drawn_the_same_every_time(name, tmp_path):
    first = cuts.WRITERS[name](tmp_path / "a" / name, cuts.QUICK)
    task = load_task(first)
    again = load_task(cuts.WRITERS[name](tmp_path / "b" / name, cuts.QUICK))
    assert task.test.sha256 == again.test.sha256
    if name != "handbook_qa":
        chosen = task.spec.answer.kind == "choice"
        learnt_from = (40, 10) if chosen else (20, 5)  # a row whose answer is written takes longer
        assert (len(task.train), len(task.validation), len(task.test)) == (*learnt_from, 20)
        asked = {example.query.text for example in task.test}
        learnt = {example.query.text for example in [*task.train, *task.validation]}
        assert len(asked & learnt) <= 1
    json.dumps(task.spec.model_dump(mode="json"))


def test_the_page_names_the_cuts_that_were_not_run():
    example = Path(__file__).parents[2] / "reports/examples/ticket_triage/comparison.json"
    comparison = Comparison.model_validate_json(example.read_text())
    lora = Difference(strategy="lora", metric="macro_f1", value=-0.05, ci_low=-0.1, ci_high=0.01)
    beside = {"snips": {"tfidf": {"lora": lora}}}
    page = directions.drawn({"snips": comparison}, [outcome(-0.05, -0.09, -0.01)], beside)
    assert "| `tfidf` | 0.690 (0.639 to 0.744) |  | 354 MiB | 218 MiB | 3.48 MiB |" in page
    assert "| `lora` | 0.557 (0.506 to 0.614) | -0.050 (-0.100 to +0.010) | " in page
    assert f"Last run on {comparison.run['started_at'][:10]}, at commit" in page
    assert "| arm | macro_f1 | beside `tfidf` | peak memory in fitting |" in page
    assert "Here it is the other way round" in page
    [said] = [line for line in page.splitlines() if line.startswith("Cuts that have not been run")]
    assert "`squad`" in said
    assert "`snips`" not in said
