"""Why something could not be had from the model hub, and what to do about it.

The hub's client raises all sorts for what its environment refuses. Knows nothing of models, nor of
that client's code.
"""

from __future__ import annotations

import os

from harness.files.network import setting_at_fault, through
from harness.files.refusals import is_refusal, says_full, words_of
from harness.files.user_path import has_home

FIX = "set HF_HOME to a folder that you may write to and that has room"


def hub_failure(problem: Exception, otherwise: str) -> str:
    """Return reason and remedy in one line.

    Args:
        problem: what the hub's client raised.
        otherwise: what else the user may do: "use a local folder".
    """
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if fault := setting_at_fault(problem, address):
        return fault
    if is_refusal(problem) or says_full(problem):
        return words_of(problem, FIX)
    if isinstance(problem, RuntimeError) and not has_home():
        return f"this user has no home folder to keep it in → {FIX}"
    reason = str(problem).strip().split("\n")[0] or type(problem).__name__
    return f"{reason}{through(address)} → check the id and the connection, or {otherwise}"
