"""What an interrupted training needs to go on as if nothing had happened, on disk.

Written now and then while training runs, each time whole: to a new file that then takes the
place of the old one. Knows nothing of losses and data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.files.atomic import atomic_file
from harness.types import RESUMED_S

EVERY_S = 600.0
"""Seconds between two checkpoints: an interrupted training loses ten minutes at most."""


class Checkpoint:
    """The state of one training, in a folder that outlives its process."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.monotonic):
        self._folder = folder
        self._clock = clock
        self._begun = self._last = clock()
        self.earlier_s = 0.0
        """Seconds that earlier processes spent up to the state that was read."""

    def read(self, key: str) -> dict[str, Any] | None:
        """Return the state that an interrupted training with the same key left, if any.

        Args:
            key: a hash that says which training it is; another one's state is left alone.
        """
        import torch

        if self._folder is None or not self._path(key).is_file():
            return None
        kept = torch.load(self._path(key), weights_only=True, map_location="cpu")
        self.earlier_s = kept["spent_s"]
        with (self._folder / RESUMED_S).open("a") as file:
            file.write(f"{self.earlier_s:.3f}\n")
        torch.set_rng_state(kept["random"])
        if kept["random_cuda"]:
            torch.cuda.set_rng_state_all(kept["random_cuda"])
        state: dict[str, Any] = kept["state"]
        return state

    def write_when_due(self, key: str, state: Callable[[], dict[str, Any]]) -> None:
        """Keep the state, if the last one is long enough ago.

        Args:
            key: says which training it is.
            state: returns what `read` is to return: numbers and tensors in plain containers.
        """
        import torch

        now = self._clock()
        if self._folder is None or now - self._last < EVERY_S:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {
            "state": state(),
            "spent_s": self.earlier_s + now - self._begun,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        with atomic_file(self._path(key)) as part:
            torch.save(kept, part)
        self._last = now

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"training-{key[:12]}.pt"
