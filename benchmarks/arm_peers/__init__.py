"""What a practitioner would use for a task in place of our arms, at its best documented settings.

Each peer gets a cut's labelled rows and the inputs of its test rows, never their answers, and
returns an answer each. Runs only inside a side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.arm_peers.classic import setfit, sklearn_union
from benchmarks.arm_peers.cut import Answers, Cut
from benchmarks.arm_peers.prompted import llama_index, lm_eval_fixed, lm_eval_nearest
from benchmarks.arm_peers.tuned import peft_classification, trl
from benchmarks.measure import Measurement, measured

PEERS: Mapping[str, Callable[[Cut], Answers]] = {
    "sklearn_union": sklearn_union,
    "setfit": setfit,
    "lm_eval_fixed": lm_eval_fixed,
    "lm_eval_nearest": lm_eval_nearest,
    "peft_classification": peft_classification,
    "trl": trl,
    "llama_index": llama_index,
}
"""Name to what answers a cut's test rows; what it chose stands beside."""


def answers(peer: str, folder: str, device: str) -> tuple[Measurement, Any]:
    """Let a peer answer a cut's test rows.

    Args:
        peer: a name of `PEERS`.
        folder: the cut's: `task.yaml` and the rows of each split.
        device: "cpu" or "cuda".

    Returns:
        `answers` by row id, and what the peer chose on validation rows, in words.
    """
    cut = Cut(Path(folder), device)
    (texts, chosen), measurement = measured(lambda: PEERS[peer](cut))
    return measurement, {
        "answers": dict(zip([row["id"] for row in cut.test], texts, strict=True)),
        "chosen": chosen,
    }
