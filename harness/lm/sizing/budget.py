"""Memory as a budget: how many tokens are computed at once, halved when memory runs out all the
same.

Knows nothing of what is computed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

from harness.errors import is_out_of_memory
from harness.machine.memory import available_bytes

T = TypeVar("T")
Note = Callable[[str, str], None]
"""Receives a remark for the record: its kind and its text."""

MOST_TOKENS = {"cpu": 512, "cuda": 8192}
"""Tokens that keep a device at work: 512 fill two cores, a GPU wants thousands. More would only
widen the attention mask, whose cost grows with the square."""
FEWEST_TOKENS = 32
"""Tokens are not halved below this: what does not fit by then will not fit at all."""
SPARE_SHARE = 0.8
"""Share of the free memory that is planned with. The rest is for allocators, which round up and
fragment."""


class RowLimit:
    """How many tokens a row may have."""

    def __init__(self, tokens: int, note: Note | None = None, fitting: int | None = None):
        """Begin with a number of tokens.

        Args:
            tokens: that may be computed at once; at least `FEWEST_TOKENS` are.
            note: told when memory ran out.
            fitting: see the attribute; None: as many.
        """
        self.tokens = max(FEWEST_TOKENS, tokens)
        self.fitting = self.tokens if fitting is None else fitting
        """Tokens that would fit the memory, were there no limit to what is worth computing."""
        self._note = note or (lambda kind, text: None)

    def run(self, work: Callable[[int], T], recover: Callable[[], None] | None = None) -> T:
        """Do `work`, given the tokens it may compute at once; halve them while memory runs out.

        Args:
            work: is called again after a halving, and goes on where it broke off.
            recover: called in between, to drop what is half computed.

        Raises:
            RuntimeError: memory runs out at the fewest tokens too.
            MemoryError: likewise.
        """
        while True:
            try:
                return work(self.tokens)
            except (RuntimeError, MemoryError) as problem:
                if not is_out_of_memory(problem):
                    raise
                # The last failure too leaves nothing half computed behind.
                if self.tokens <= FEWEST_TOKENS:
                    if recover is not None:
                        recover()
                    raise
            # Outside the handler, because its traceback holds the tensors that filled the memory.
            self.tokens = max(FEWEST_TOKENS, self.tokens // 2)
            self._note("memory", f"memory ran out: {self.tokens} tokens at once from here on")
            if recover is not None:
                recover()
            _release()


def row_limit(
    device: str,
    bytes_per_token: int,
    budget_bytes: int | None,
    note: Note | None = None,
    reserved_bytes: int = 0,
) -> RowLimit:
    """Find how many tokens fit into what is free of the budget now.

    Args:
        device: "cpu" or "cuda" (with or without a number).
        bytes_per_token: what one more token takes at once.
        budget_bytes: main memory that this process may use in all; None: what the machine has
            left. On a GPU its own free memory counts.
        note: receives (kind, text) when memory turns out to be short.
        reserved_bytes: of what is free now, the part that something else will take.
    """
    # What fits is one limit, what is worth computing at once the other; the lower one holds.
    most = MOST_TOKENS[device.split(":", maxsplit=1)[0]]
    free_bytes = max(0, _free_bytes(device, budget_bytes) - reserved_bytes)
    fitting = int(SPARE_SHARE * free_bytes / bytes_per_token)
    if fitting < most and note is not None:
        note("memory", f"{max(FEWEST_TOKENS, fitting)} tokens at once fit the memory budget")
    return RowLimit(min(most, fitting), note, fitting)


def _free_bytes(device: str, budget_bytes: int | None) -> int:
    """Return what this process may still take."""
    if device.startswith("cuda"):
        import torch

        # What torch has reserved and does not use is free to it, though not to the driver.
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(torch.cuda.mem_get_info()[0]) + int(unused)
    if budget_bytes is None:
        return available_bytes()
    import psutil

    return max(0, budget_bytes - int(psutil.Process().memory_info().rss))


def _release() -> None:
    """Give back what nothing refers to any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
