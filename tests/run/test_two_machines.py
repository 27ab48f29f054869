"""A run that is continued on another machine: what is reused, and what its records say."""

from __future__ import annotations

import json

import pytest

from harness.analysis import analyse
from harness.store.measured import read_measured
from harness.store.run_folder import RunFolder

SOURCE = """
from harness import Params, Prediction, Strategy

class Rule(Strategy):
    learns = "weights"

    class Params(Params):
        answer: str = "a"

    def fit(self, train, validation, artifact):
        (artifact / "answer").write_text(self.params.answer)

    def load(self, artifact):
        self.answer = (artifact / "answer").read_text()

    def predict(self, queries):
        return [Prediction(self.answer) for _ in queries]
"""
PRICES = """
machines:
  - {name: small, usd_per_hour: 1, source: x, read_on: 2026-01-01, stands_for: {cpu_model: Slate}}
  - {name: large, usd_per_hour: 9, source: x, read_on: 2026-01-01, stands_for: {cpu_model: Abacus}}
  - {name: other, usd_per_hour: 5, source: x, read_on: 2026-01-01, stands_for: {cpu_model: Quill}}
"""
ARMS = [{"use": "own.py:Rule", "name": name, "answer": name} for name in ("a", "b")]


@pytest.fixture(scope="module")
def continued(tiny, run_tiny, tmp_path_factory):
    """A run whose first arm a laptop measured and whose second a server did."""
    folder = tmp_path_factory.mktemp("two")
    limits = {"max_p95_ms": 60_000}
    path = tiny(folder, SOURCE, ARMS, prices="prices.yaml", limits=limits)
    (folder / "prices.yaml").write_text(PRICES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.machine.describe._cpu_model", lambda: "Slate 4")
        run_tiny(path, folder / "run", only=["a"])
        patch.setattr("harness.machine.describe._cpu_model", lambda: "Abacus 64")
        run_tiny(path, folder / "run")
    return RunFolder(folder / "run")


def on(result):
    return result.hardware.machine.cpu_model


def test_each_result_names_the_machine_that_it_ran_on(continued):
    found = {record.arm: record for record in continued.trials().values()}
    for arm, machine in (("a", "Slate 4"), ("b", "Abacus 64")):
        record = found[arm]
        assert [on(record.fit), on(record.serve), on(record.robustness)] == [machine] * 3
        fit = continued.fit_folder(arm, record.fit_id)
        account = json.loads((fit / "fit.json").read_text())["result"]
        assert account["hardware"]["machine"]["cpu_model"] == machine
        measured = read_measured(next(fit.rglob("measured.json")).parent)
        assert on(measured.result) == machine


def test_the_header_keeps_the_price_rows_of_both_machines_and_no_others(continued):
    first, second = continued.headers()
    assert [row["name"] for row in first.prices["machines"]] == ["small"]
    assert [row["name"] for row in second.prices["machines"]] == ["small", "large"]
    assert second.machine.cpu_model == "Abacus 64"


def test_an_arm_is_reused_for_its_score_and_compared_in_nothing_else(continued):
    comparison = analyse(continued)
    a, b = comparison.arms
    assert a.score.value == b.score.value == pytest.approx(0.5)
    assert (a.machine.cpu_model, b.machine.cpu_model) == ("Slate 4", "Abacus 64")
    assert a.total_usd == pytest.approx(1000 / a.throughput_per_s * 1 / 3600)
    assert b.total_usd == pytest.approx(1000 / b.throughput_per_s * 9 / 3600)
    assert (a.misses, b.misses) == (("limits.max_p95_ms",), ())
    assert comparison.recommendation.choice == "b"
    (said,) = [found for found in comparison.findings if "measured on" in found]
    assert said.startswith("a was measured on Slate 4")
    assert "Abacus 64" in said


def test_another_machine_is_no_change_of_the_criteria(continued):
    assert analyse(continued).not_as_sealed == ()
