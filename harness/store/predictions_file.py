"""The file of an arm's answers, one a line; what their prompts share stands in the first of them.

Files of earlier versions hold every prompt whole, and are read as they are. Knows nothing of what
an answer is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of_file
from harness.store.label_values import SharedLabels
from harness.store.prompt_templates import Templates, packed, unpacked
from harness.store.run_folder import each_row, write_jsonl
from harness.types import Prediction


def write_predictions(path: Path, ids: Iterable[str], predictions: Iterable[Prediction]) -> str:
    """Write predictions with the ids they answer and return the file's hash."""
    given = list(predictions)
    prompts = packed([one.prompt for one in given])
    rows = (
        {"id": row_id, **asdict(one), "prompt": prompt}
        for row_id, one, prompt in zip(ids, given, prompts, strict=True)
    )
    write_jsonl(path, rows)
    return sha256_of_file(path)


def read_predictions(path: Path, *, prompts: bool = True) -> dict[str, Prediction]:
    """Read predictions by the id they answer.

    Args:
        path: of the file.
        prompts: whether they are to have their prompts, which may be most of the file.
    """
    return dict(each_prediction(path, prompts=prompts))


def each_prediction(path: Path, *, prompts: bool = True) -> Iterator[tuple[str, Prediction]]:
    """Yield the id that each prediction of a file answers, and the prediction.

    Raises:
        OSError: it cannot be read; like the next, raised by the iterator.
        ValueError, TypeError, KeyError, AttributeError: a line holds no prediction.
    """
    shared = SharedLabels()
    templates: Templates = {}
    for row in each_row(path):
        row_id, prompt = row.pop("id"), row.pop("prompt", None)
        if isinstance(row.get("label_logprobs"), dict):
            row["label_logprobs"] = shared.values(row["label_logprobs"])
        given = Prediction.from_row(row)
        if prompts and prompt is not None:
            given = replace(given, prompt=unpacked(templates, prompt))
        yield row_id, given


def each_prompt(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the id that each answer of a file is for, and its prompt as the file holds it.

    Raises:
        OSError: it cannot be read; like the next, raised by the iterator.
        ValueError, KeyError: a line holds no prediction.
    """
    for row in each_row(path):
        yield row["id"], row.get("prompt")
