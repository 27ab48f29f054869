"""`directions`: its cuts, and what counts as reproduced. No model."""

from __future__ import annotations

import json

import pytest
from hand_made import TARGETS, cheap_and_good, rows_of, write_run
from needed import needs

from benchmarks import curves, cuts, directions, outcomes, papers
from benchmarks.curves_page import section
from benchmarks.directions_page import drawn, sentence
from benchmarks.findings import (
    Arm,
    Curve,
    Findings,
    Model,
    Value,
    found_in,
    keep,
    kept,
    kept_curves,
)
from harness.analysis import LearningCurve, analyse
from harness.analysis.schema.curve import Crossover, CurveLine, CurvePoint
from harness.task import load_task


def value(middle, low, high):
    return Value(value=middle, ci_low=low, ci_high=high)


def outcome(middle, low, high, relation="better than"):
    wanted = papers.Direction("A 2020", "x beats y", "x", "y", ("cut",), relation)
    return outcomes.Outcome(wanted, "cut", "accuracy", value(middle, low, high))


FOUND = Findings(
    started_on="2026-11-22",
    git_commit="1e5e51a0000",
    machine="2 cores of a machine",
    headline="Choose tfidf.",
    metric="macro_f1",
    arms=(
        Arm(
            name="tfidf",
            status="ok",
            score=value(0.69, 0.639, 0.744),
            fit_peak_bytes=354 * 2**20,
            predict_peak_bytes=218 * 2**20,
            artifact_bytes=2**20,
        ),
        Arm(name="lora", status="ok", score=value(0.557, 0.506, 0.614)),
        Arm(name="qlora", status="timeout", error="after 60 min"),
    ),
    models=(Model(arm="lora", loaded="a model in float32"),),
    differences={
        "tfidf": {"lora": value(-0.133, -0.2, -0.059)},
        "few_shot": {"lora": value(0.5, 0.4, 0.6)},
    },
)


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
    said = sentence(outcome(-0.05, -0.09, -0.01))
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
            assert {wanted.arm, wanted.than, wanted.with_care or wanted.arm} <= {
                name_of(arm) for arm in arms
            }
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


def test_a_direction_is_tested_where_both_arms_finished():
    found = list(outcomes.tested({"snips": FOUND, "squad": FOUND}))
    assert [(o.direction.arm, o.direction.than, o.cut) for o in found] == [
        ("lora", "few_shot", "snips")
    ]
    assert found[0].difference.value == 0.5


@pytest.mark.parametrize(
    ("kept_as", "said"),
    [
        ({"few_shot_nearest": {"lora": value(0.2, 0.1, 0.3)}}, "stays"),
        ({"few_shot_nearest": {"lora": value(-0.01, -0.04, 0.02)}}, "was made by a weak arm"),
        ({"lora": {"few_shot_nearest": value(0.01, -0.02, 0.04)}}, "was made by a weak arm"),
    ],
)
def test_a_finding_is_told_beside_the_arm_that_was_done_with_care(kept_as, said):
    found = FOUND.model_copy(update={"differences": {**FOUND.differences, **kept_as}})
    page = drawn({"snips": found}, list(outcomes.tested({"snips": found})))
    [line] = [one for one in page.splitlines() if "`few_shot_nearest`: " in one]
    assert line.startswith("| tuning few weights beats demonstrations | `snips` | `few_shot`: +0.5")
    assert line.endswith(f"| {said} |")
    if said != "stays":
        assert "`few_shot_nearest`: -0.010 (-0.040 to +0.020)" in line


def test_a_cut_from_before_the_arms_were_reworked_says_so():
    late = FOUND.model_copy(update={"started_on": "2026-12-01"})
    page = drawn({"snips": FOUND, "squad": late}, [])
    assert "(`arms.md` has some of them): `snips`. Their scores" in page
    assert "Findings that a weak arm made" not in page


def test_the_page_shows_arms_with_what_they_took_and_names_the_cuts_that_were_not_run():
    page = drawn({"snips": FOUND}, [outcome(-0.05, -0.09, -0.01)])
    assert "| arm | macro_f1 | beside `tfidf` | peak memory in fitting |" in page
    assert "| `tfidf` | 0.690 (0.639 to 0.744) |  | 354 MiB | 218 MiB | 1.00 MiB |" in page
    assert "| `lora` | 0.557 (0.506 to 0.614) | -0.133 (-0.200 to -0.059) | – | – | – |" in page
    assert "| `qlora` | timeout: after 60 min | | | | |" in page
    assert "Last run on 2026-11-22, at commit `1e5e51a`, on 2 cores of a machine." in page
    assert "- `lora`: a model in float32" in page
    assert "Here it is the other way round" in page
    [said] = [line for line in page.splitlines() if line.startswith("Cuts that have not been run")]
    assert "`squad`" in said
    assert "`snips`" not in said


def test_what_a_cut_came_to_is_what_its_run_is_judged_to_be(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    found = found_in(folder, {"cheap", "absent"})
    row = rows_of(analyse(folder))["good"]
    [good] = [arm for arm in found.arms if arm.name == "good"]
    assert good.score.value == row.score.value == pytest.approx(119 / 120)
    assert (good.fit_peak_bytes, good.predict_peak_bytes) == (200 * 2**20, 100 * 2**20)
    assert found.headline == analyse(folder).recommendation.headline
    assert found.machine == "2 cores of Abacus 2"
    assert list(found.differences) == ["cheap"]
    difference = found.differences["cheap"]["good"]
    assert difference.value == pytest.approx(29 / 120)
    assert difference.ci_low < difference.value < difference.ci_high


def test_what_is_kept_of_a_cut_is_read_again(tmp_path):
    keep("snips", FOUND, tmp_path)
    assert kept(("squad", "snips"), tmp_path) == {"snips": FOUND}


def test_a_run_of_fewer_arms_does_not_replace_what_is_known(tmp_path):
    keep("snips", FOUND, tmp_path)
    fewer = FOUND.model_copy(update={"arms": FOUND.arms[:1]})
    assert keep("snips", fewer, tmp_path) == ("lora",)
    assert kept(("snips",), tmp_path) == {"snips": FOUND}
    other = FOUND.model_copy(update={"headline": "Choose lora.", "arms": FOUND.arms[:2]})
    assert keep("snips", other, tmp_path) == ()
    assert kept(("snips",), tmp_path) == {"snips": other}


def test_the_committed_page_is_what_the_kept_findings_draw():
    findings = kept(tuple(cuts.WRITERS))
    assert findings
    page = directions.PAGE.read_text()
    assert page.startswith(drawn(findings, list(outcomes.tested(findings))))
    assert page.endswith(f"\n{section(kept_curves(directions.CURVES))}\n")


CURVE = Curve(
    started_on="2026-11-30",
    git_commit=None,
    machine="2 cores of a machine",
    curve=LearningCurve(
        metric="accuracy",
        labels_n=50,
        lines=tuple(
            CurveLine(
                strategy=name,
                learns=True,
                points=(CurvePoint(labels_n=n, value=v, ci_low=0.1, ci_high=0.9, trainings=3),),
            )
            for name, n, v in (("tfidf", 25, 0.4), ("lora", 50, 0.5))
        ),
        crossovers=(
            Crossover(first="lora", second="tfidf", state="nowhere", text="lora stays behind"),
        ),
        missing=("lora with 25 labels: timeout",),
    ),
)


def test_cuts_and_curves_keep_each_others_part_of_the_page(tmp_path):
    found, page = tmp_path / "found", tmp_path / "page.md"
    keep("snips", FOUND, found)
    directions.draw(found, page)
    assert page.read_text().endswith("`python -m benchmarks curves`: not run yet.\n")
    keep("banking77_10", CURVE, found / "curves")
    directions.draw(found, page)
    both = page.read_text()
    assert "## `snips`" in both
    assert "| arm (accuracy) | 25 labels | 50 labels |" in both
    assert "| `tfidf` | 0.400 (0.100 to 0.900) | – |" in both
    assert "- lora stays behind." in both
    assert "- Missing: lora with 25 labels: timeout." in both
    keep("snips", FOUND.model_copy(update={"headline": "Choose lora."}), found)
    directions.draw(found, page)
    assert page.read_text() == both.replace(FOUND.headline, "Choose lora.")


def test_a_curve_of_fewer_points_does_not_replace_what_is_known(tmp_path):
    keep("banking77_10", CURVE, tmp_path / "curves")
    fewer = CURVE.model_copy(
        update={"curve": CURVE.curve.model_copy(update={"lines": CURVE.curve.lines[:1]})}
    )
    assert keep("banking77_10", fewer, tmp_path / "curves") == ("lora with 50 labels",)
    assert kept_curves(("banking77_10",), tmp_path) == {"banking77_10": CURVE}


@pytest.mark.parametrize(
    "name", ["ticket_triage", pytest.param("banking77_10", marks=needs("banking77"))]
)
def test_the_tasks_of_curves_can_be_run(name, tmp_path):
    """Both load, with each size within their labels: a run of one takes hours."""
    task = load_task(curves.written(name, tmp_path, quick=False))
    assert tuple(arm.name for arm in task.arms) == curves.ARMS
    assert max(size for size in curves.SIZES[name] if size != "all") < len(task.train)
