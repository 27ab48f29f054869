"""A tiny task to plan: arms that forecast themselves, and machines with gaps in their prices."""

from __future__ import annotations

import json

OWN = """
from harness import Estimate, Prediction, Strategy


class Silent(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]


class Certain(Silent):
    @classmethod
    def estimate(cls, params, prospect):
        assert not hasattr(prospect.queries[0], "targets")
        return Estimate(fit_peak_bytes=10**8, predict_peak_bytes=2 * 10**8, fit_wall_s=7.0)


class Faulty(Silent):
    @classmethod
    def estimate(cls, params, prospect):
        raise ValueError("no idea")


class Huge(Silent):
    @classmethod
    def estimate(cls, params, prospect):
        return Estimate(fit_peak_bytes=10**15, predict_peak_bytes=10**15)


class Snug(Silent):
    @classmethod
    def estimate(cls, params, prospect):
        return Estimate(fit_peak_bytes=93 * 2**30, predict_peak_bytes=2**30)
"""
CARDS = """
machines:
  - {name: a card of 80, usd_per_hour: 3.0, source: an invoice, read_on: 2026-11-20,
     gpu_memory_gib: 79, teraflops: 312}
  - {name: a card of 48, usd_per_hour: 1.0, source: an invoice, read_on: 2026-11-20,
     gpu_memory_gib: 47}
  - {name: a mystery, usd_per_hour: 1.0, source: an invoice, read_on: 2026-11-20}
"""


def write(folder, arms, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.py").write_text(OWN)
    (folder / "prices.yaml").write_text(CARDS)
    for name, n in (("train", 12), ("validation", 4), ("test", 8)):
        rows = [
            {"id": f"{name}{i}", "text": f"{name} {i} text", "label": "ab"[i % 2]} for i in range(n)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {name: f"{name}.jsonl" for name in ("train", "validation", "test")}
    task = {
        "name": "tiny",
        "instruction": "Which letter?",
        "answer": {"kind": "choice", "labels": ["a", "b"]},
        "data": {**data, "input": "text", "target": "label"},
        "metric": "accuracy",
        "strategies": arms,
        "prices": "prices.yaml",
        **changes,
    }
    (folder / "task.yaml").write_text(json.dumps(task))
    return folder / "task.yaml"
