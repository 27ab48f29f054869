"""Weights know no groups: what only some may read and is learnt for all stands in the record."""

from __future__ import annotations

import json

OWN = """
from harness import Prediction, Strategy

class Learns(Strategy):
    needs_train = True
    needs_corpus = True
    learns = "weights"

    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Looks(Learns):
    learns = "index"

class Both(Strategy):
    @classmethod
    def parts(cls, params):
        return (("own.py:Looks", {}), ("own.py:Learns", {}))

    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""


def test_what_is_closed_and_learnt_is_noted(tiny, run_tiny, tmp_path):
    both = {"use": "own.py:Both", "name": "both"}
    path = tiny(tmp_path, OWN, ["own.py:Learns", "own.py:Looks", both])
    for name in ("train", "validation", "test"):
        file = tmp_path / f"{name}.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        rows = [row | {"who": ["people"] if number < 2 else []} for number, row in enumerate(rows)]
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    documents = [
        {"id": "1", "title": "", "text": "x", "allow": ["people"]},
        {"id": "2", "text": "y"},
    ]
    (tmp_path / "docs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in documents))
    task = json.loads(path.read_text())
    task["data"] |= {"groups": "who", "corpus": "docs.jsonl"}
    path.write_text(json.dumps(task))
    _, records = run_tiny(path, tmp_path / "run")
    notes = {arm: [note.text for note in record.fit.notes] for arm, record in records.items()}
    said = "2 of the training rows and 1 of the documents are for groups and were learnt:"
    said += " any asker may be told of them"
    assert notes == {"learns": [said], "looks": [], "both": [said]}
