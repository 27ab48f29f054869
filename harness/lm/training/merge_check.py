"""Whether an adapter may become part of the weights: answers to held-out prompts, both ways.

Merging rounds what was learnt to the weights' own format, which loses most where the update is
small beside them: large models, low rates (PEFT issue 1388; unsloth issue 3091). It is looked at
where there are rows, when training has ended, and the finding lies in the artifact: loading takes
no longer for it. Knows nothing of tasks.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.lm.local_model import LanguageModel

FILE = "merging.json"
ROWS = 32
"""Held-out prompts that are answered both ways, at the most."""
MOST_CHANGE = 0.25
"""Mean change of a log-probability, in nats, above which the adapter stays beside the weights. LoRA
of 1.6% of the weights' length, merged in bfloat16, changed 0.12 and no label of 94."""


@dataclass(frozen=True)
class MergeFinding:
    """What merging changed of some answers."""

    rows: int
    changed: int
    """Rows whose likeliest label is another one."""
    mean_change: float
    """Of a label's log-probability, or of a token's where there are no labels, in nats."""

    @property
    def harmless(self) -> bool:
        """Whether the adapter may be merged."""
        return not self.changed and self.mean_change <= MOST_CHANGE

    @property
    def says(self) -> str:
        """What merging changed, in words."""
        return (
            f"merging changed {self.changed} of {self.rows} validation labels,"
            f" and log-probabilities by {self.mean_change:.2f} on average"
        )

    def save(self, folder: Path) -> None:
        """Write it beside the adapter."""
        (folder / FILE).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> MergeFinding | None:
        """Return what `save` wrote; None: nobody looked."""
        file = folder / FILE
        return cls(**json.loads(file.read_text())) if file.is_file() else None


def compared(
    beside: Sequence[Sequence[float]], merged: Sequence[Sequence[float]], labels: bool
) -> MergeFinding:
    """Return what merging changed.

    Args:
        beside: a row's log-probabilities with the adapter beside the weights.
        merged: the same with it merged.
        labels: a row's numbers are those of labels, of which the largest answers.
    """
    pairs = list(zip(beside, merged, strict=True))
    changes = [abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)]
    changed = sum(best(one) != best(other) for one, other in pairs) if labels else 0
    return MergeFinding(len(pairs), changed, sum(changes) / max(1, len(changes)))


def best(row: Sequence[float]) -> int:
    """Return the place of a row's largest number."""
    return max(range(len(row)), key=lambda place: row[place])


def can_merge(lm: LanguageModel) -> bool:
    """Tell whether serving would merge what was learnt, if that is harmless."""
    adapter = lm.adapter
    packed = getattr(lm.model, "is_quantized", False)
    return adapter is not None and adapter.merges and not adapter.trains_all and not packed


@contextmanager
def merged_meanwhile(lm: LanguageModel) -> Iterator[None]:
    """Let a model answer with its adapter merged; afterwards it is apart again, but for rounding.

    Args:
        lm: with an adapter that `can_merge`; what was learnt is saved by now.
    """
    lm.model.merge_adapter()
    lm.prefix.clear()  # it belongs to other weights
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it rounds, which is said above
            lm.model.unmerge_adapter()
        lm.prefix.clear()
