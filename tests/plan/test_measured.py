"""Predicted memory beside what real processes took, on the real built-in model."""

from __future__ import annotations

import json

import pytest
from progress import Silent

from harness.analysis import analyse
from harness.plan import foresee
from harness.run.folder_lock import opened
from harness.run.runner import Runner
from harness.task import load_task

ARMS = [{"use": "lora", "epochs": 1, "evaluations_per_epoch": 1}, "tfidf"]
MEBIBYTE = 2**20


def write(folder):
    sizes = {"train": 24, "validation": 4, "test": 6}
    for name, n in sizes.items():
        rows = [
            {
                "id": f"{name}{i}",
                "text": f"{name} {i}: " + "the battery of my bike is empty again " * (1 + i % 3),
                "label": ("workshop", "billing")[i % 2],
            }
            for i in range(n)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "name": "tiny",
        "instruction": "Which team?",
        "answer": {"kind": "choice", "labels": ["workshop", "billing"]},
        "data": {**{name: f"{name}.jsonl" for name in sizes}, "input": "text", "target": "label"},
        "metric": "accuracy",
        "model": "smollm2-135m-instruct-q4",
        "strategies": ARMS,
        "facts": {"forgetting": False, "robustness": False},
    }
    (folder / "task.yaml").write_text(json.dumps(task))
    return load_task(folder / "task.yaml")


@pytest.mark.model
def test_peaks_are_within_a_fifth_or_200_mb_of_what_processes_took(tmp_path):
    task = write(tmp_path)
    outlook = foresee(task)
    with opened(tmp_path / "run", "tiny", fresh=False) as folder:
        Runner(task, folder, Silent(), foresee=lambda arms: outlook.here).run()
    rows = {row.strategy: row for row in analyse(folder).arms}
    assert [row.status for row in rows.values()] == ["ok"] * 2
    for row in rows.values():
        for predicted, measured in (
            (row.foresight.fit_peak_bytes, row.fit_peak_bytes),
            (row.foresight.predict_peak_bytes, row.predict_peak_bytes),
        ):
            assert abs(predicted - measured) < max(0.2 * measured, 200e6), row.strategy
    lora = rows["lora"]
    assert lora.fit_peak_bytes > 1000 * MEBIBYTE  # the ruler saw the model
    assert lora.foresight.fit_wall_low_s < lora.foresight.fit_wall_high_s
