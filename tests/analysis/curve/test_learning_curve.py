"""Curves, crossovers and effects of a run that was made by hand in this process."""

from __future__ import annotations

import json

import pytest
from progress import Silent

from harness.analysis import analyse
from harness.analysis.curve.wording import crossover
from harness.run.folder_lock import opened
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.runner import Runner
from harness.run.site import Site
from harness.stats.learning_curve import Crossing
from harness.task import load_task
from reports import whole_markdown
from reports.render_html import html

OWN = '''
import json
from harness import Prediction, Strategy

class Memory(Strategy):
    """Right on as many of twenty numbers as half of the right labels that it saw."""

    needs_train = True
    learns = "index"

    def fit(self, train, validation, artifact):
        seen = sum("ab"[int(row.query.text.split()[-1]) % 2] == row.targets[0] for row in train)
        (artifact / "seen.json").write_text(json.dumps(seen))

    def load(self, artifact):
        self.seen = json.loads((artifact / "seen.json").read_text())

    def predict(self, queries):
        return [Prediction(self.answer(int(q.text.split()[-1]))) for q in queries]

    def answer(self, number):
        return "ab"[number % 2] if number % 20 < self.seen / 2 else "ba"[number % 2]

class Fixed(Strategy):
    """Right on nine of twenty, whatever the labels."""

    learns = "nothing"

    def fit(self, train, validation, artifact):
        pass

    def load(self, artifact):
        pass

    def predict(self, queries):
        numbers = [int(q.text.split()[-1]) for q in queries]
        return [Prediction("ab"[n % 2] if n % 20 < 9 else "ba"[n % 2]) for n in numbers]


class Late(Memory):
    """Learns from thirty rows and more."""

    def fit(self, train, validation, artifact):
        assert len(train) >= 30
        super().fit(train, validation, artifact)
'''


def run_in(place, arms, **keys):
    """Run some arms of these in a new folder, and return it."""
    (place / "own.py").write_text(OWN)
    for name, n in (("train", 32), ("validation", 8), ("test", 200)):
        rows = [
            {"id": f"{name}{i}", "text": f"{name} number {i}", "label": "ab"[i % 2]}
            for i in range(n)
        ]
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "name": "tiny",
        "instruction": "Which letter?",
        "answer": {"kind": "choice", "labels": ["a", "b"]},
        "data": {
            **{name: f"{name}.jsonl" for name in ("train", "validation", "test")},
            "input": "text",
            "target": "label",
        },
        "metric": "accuracy",
        "strategies": [{"use": f"own.py:{arm}", "name": arm.lower()} for arm in arms],
        "labour": {"usd_per_label": 0.1},
        **keys,
    }
    (place / "task.yaml").write_text(json.dumps(task))
    loaded = load_task(place / "task.yaml")
    with opened(place / "out", "tiny", fresh=False) as out:
        Runner(loaded, out, Silent(), site=Site(InProcessLauncher)).run()
        return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with a curve of five sizes, noise and augmentation."""
    curve = {"sizes": [5, 10, 20, 30, "all"], "repeats": 2}
    place, arms = tmp_path_factory.mktemp("curve"), ("Memory", "Fixed")
    return run_in(place, arms, curve=curve, noise=0.25, augment={"factor": 2})


@pytest.fixture(scope="module")
def comparison(folder):
    return analyse(folder)


@pytest.fixture(scope="module")
def found(comparison):
    return comparison.learning_curve


def test_a_point_is_the_mean_of_its_trainings_and_all_labels_are_the_arms_own(found, comparison):
    memory, fixed = found.lines
    assert [point.labels_n for point in memory.points] == [5, 10, 20, 30, 40]
    # 4, 8, 16, 24 and 32 training rows: 2, 4, 8, 12 and 16 of twenty numbers are right.
    values = [0.1, 0.2, 0.4, 0.6, 0.8]
    assert [point.value for point in memory.points] == pytest.approx(values)
    assert [point.trainings for point in memory.points] == [2, 2, 2, 2, 1]
    assert all(p.ci_low < p.value < p.ci_high for p in memory.points)
    assert (fixed.learns, [point.value for point in fixed.points]) == (False, [0.45])
    scores = {arm.strategy: arm.score.value for arm in comparison.arms}
    assert memory.points[-1].value == scores["memory"]


def test_the_crossover_is_a_range_with_a_sentence(found):
    [both] = found.crossovers
    assert (both.first, both.second, both.state) == ("memory", "fixed", "between")
    assert 15 < both.low < 22 < both.high < 30
    assert both.text.startswith("between about ")


def test_an_arm_that_learns_is_known_at_its_own_sizes_alone(tmp_path):
    """Its one point, at all labels, says nothing of the sizes at which it failed."""
    curve = {"sizes": [5, 20, "all"], "repeats": 1}
    found = analyse(run_in(tmp_path, ("Memory", "Fixed", "Late"), curve=curve)).learning_curve
    assert {line.strategy: len(line.points) for line in found.lines}["late"] == 1
    assert [text.partition(":")[0] for text in found.missing] == [
        "late with 5 labels",
        "late with 20 labels",
    ]
    assert "late" not in {name for one in found.crossovers for name in (one.first, one.second)}


def test_labels_beyond_twice_what_there_are_have_no_value_and_a_reason(found):
    more = found.lines[0].next_labels
    assert more.value is None
    assert "over 2 times the 40 labels" in more.undefined
    assert more.usd == pytest.approx(10)


def test_wrong_labels_cost_what_they_cost(found):
    noise, made = found.effects
    assert (noise.kind, noise.amount, noise.trainings) == ("noise", 0.25, 3)
    # Eight of 32 labels are wrong: 12 of twenty numbers are right, and not 16.
    assert noise.value == pytest.approx(-0.2)
    assert noise.ci_low < noise.value < noise.ci_high < 0
    assert (made.kind, made.amount) == ("augment", 2)
    assert made.value == pytest.approx(0.2)


def test_the_page_draws_the_curve_and_markdown_has_it_as_a_table(comparison):
    page, text = html(comparison), whole_markdown(comparison)
    assert "What more labels are worth" in page
    assert 'class="plot"' in page
    assert "memory overtakes fixed" in page
    assert "| memory | 0.10" in text
    assert "memory overtakes fixed" in text


@pytest.mark.parametrize(
    ("low", "high", "state", "words"),
    [
        (61.7, 118.0, "between", "between about 62 and about 120 labels"),
        (61.7, float("inf"), "from", "at about 62 labels at the earliest"),
        (float("-inf"), 61.7, "until", "by about 62 labels at the latest"),
        (float("-inf"), float("-inf"), "everywhere", "ahead of few_shot from 25 labels on"),
        (float("inf"), float("inf"), "nowhere", "within the 400 labels you have"),
        (float("-inf"), float("inf"), "unknown", "cannot tell"),
    ],
)
def test_every_range_has_words(low, high, state, words):
    found = crossover("lora", "few_shot", Crossing(low, high), [25, 100, 400])
    assert found.state == state
    assert words in found.text
