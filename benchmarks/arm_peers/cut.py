"""A cut of a public set as a peer may see it: labelled rows, and the inputs of the test rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SEED = 0
Answers = tuple[list[str], str]
"""An answer for each test row, and what was chosen on validation rows, in words."""


class Cut:
    """A task's rows as a peer may see them."""

    def __init__(self, folder: Path, device: str):
        self.task: Row = json.loads((folder / "task.yaml").read_text())
        self.train, self.validation = (rows_of(folder, n) for n in ("train", "validation"))
        self.test = [{"id": r["id"], "input": r["input"]} for r in rows_of(folder, "test")]
        self.labelled = [*self.train, *self.validation]
        self.folder = folder
        self.device = device

    @property
    def labels(self) -> list[str]:
        """The labels of a choice."""
        return list(self.task["answer"]["labels"])

    @property
    def is_choice(self) -> bool:
        """Whether an answer is a label."""
        return str(self.task["answer"]["kind"]) == "choice"

    @property
    def max_new_tokens(self) -> int:
        """How long a written answer may be."""
        return int(self.task["generation"]["max_new_tokens"])


def target(row: Row) -> str:
    """Return the first of a row's answers."""
    accepted = row["target"]
    return str(accepted[0] if isinstance(accepted, list) else accepted)


def rows_of(folder: Path, file: str) -> list[Row]:
    """Return the rows of one of a cut's files, named without its ending."""
    lines = (folder / f"{file}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def encoder(cut: Cut) -> Callable[[Sequence[Row]], list[tuple[str, Any]]]:
    """Return what gives rows' inputs with their vectors of length 1, by the embedder we use too."""
    from sentence_transformers import SentenceTransformer

    from harness.retrieval import DEFAULT_EMBEDDER
    from harness.retrieval.embedder import location

    model = SentenceTransformer(str(location(DEFAULT_EMBEDDER)), device=cut.device)

    def encode(rows: Sequence[Row]) -> list[tuple[str, Any]]:
        texts = [row["input"] for row in rows]
        found = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return list(zip(texts, found, strict=True))

    return encode
