"""Runs the sides of a benchmark, one at a time, each in a fresh interpreter.

So that memory, caches and imports of one are not counted for, or lent to, the other.
Knows nothing of what the sides do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

ROOT = Path(__file__).parent.parent
QUICK_LIMIT_S = 270.0
"""What a quick benchmark plans with: half a minute below the five minutes it may take."""
NO_PEER = dict.fromkeys(
    ("ours_s", "peer_s", "ratio", "ours_peak_rss_bytes", "peer_peak_rss_bytes", "peer_settings")
)
"""What a page without another side, and without anything timed, has for the keys of all pages."""
OUTPUT_LINES = 15
"""Lines of a failed side's output that are shown."""


class SideError(Exception):
    """A side that ended without an outcome; says which one, and what it wrote last."""


@dataclass(frozen=True)
class Side:
    """What one side measured and found."""

    wall_s: float
    """The timed part alone."""
    peak_rss_bytes: int
    """Of its process, up to the end of the timed part, loading included."""
    peak_gpu_bytes: int | None
    total_s: float
    """From the start of its interpreter to its end."""
    values: dict[str, Any]


class Sides:
    """Starts sides and says on stderr what goes on."""

    def __init__(self, quick: bool, device: str, only: Sequence[str] = ()):
        self.quick = quick
        self.device = device
        self.only = only
        self._started = monotonic()

    def left_s(self) -> float:
        """Return the seconds that a quick benchmark may still spend."""
        return QUICK_LIMIT_S - (monotonic() - self._started)

    def chosen(self, parts: Sequence[str]) -> Sequence[str]:
        """Return the parts of a benchmark that are to be run: those named, or else all of these."""
        return self.only or parts

    def say(self, text: str) -> None:
        """Report progress."""
        print(f"[{monotonic() - self._started:6.1f} s] {text}", file=sys.stderr, flush=True)

    def run(self, function: Callable[..., Any], **arguments: Any) -> Side:
        """Run one side to its end.

        Args:
            function: a module's own function; it returns a measurement and values.
            arguments: what JSON can hold.

        Raises:
            SideError: it failed or was killed (a kill is mostly a lack of memory).
        """
        name = f"{function.__module__}.{function.__name__}"
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            job, outcome = Path(folder, "job.json"), Path(folder, "outcome.json")
            words = {"module": function.__module__, "function": function.__name__}
            job.write_text(json.dumps({**words, "arguments": arguments}))
            start = monotonic()
            code, output = _interpreter(job, outcome, Path(folder))
            total_s = monotonic() - start
            if code != 0 or not outcome.is_file():
                how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
                raise SideError(f"{name} {how}:\n{output}")
            found = json.loads(outcome.read_text())
        side = Side(**found["measurement"], total_s=total_s, values=found["values"])
        self.say(f"{name}: {side.wall_s:.2f} s, peak {side.peak_rss_bytes / 2**20:.0f} MiB")
        return side


def _interpreter(job: Path, outcome: Path, folder: Path) -> tuple[int, str]:
    """Run the job in an interpreter and return its exit code and its last lines of output."""
    log = folder / "output.log"
    # Everything lies on this machine: a look at a model hub would only cost time.
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TMPDIR": str(folder),
    }
    with log.open("w") as stream:
        code = subprocess.run(
            [sys.executable, "-m", "benchmarks.side", str(job), str(outcome)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
            check=False,
        ).returncode
    lines = log.read_text(errors="replace").splitlines()
    return code, "\n".join(lines[-OUTPUT_LINES:])


def beside(ours: Side, peer: Side, ours_s: float, peer_s: float) -> dict[str, Any]:
    """Return the keys that every comparison has.

    Args:
        ours: gives our peak memory.
        peer: gives the peer's.
        ours_s: our seconds, for the same amount of work as `peer_s`.
        peer_s: the peer's.
    """
    keys = {
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "ours_peak_rss_bytes": ours.peak_rss_bytes,
        "peer_peak_rss_bytes": peer.peak_rss_bytes,
    }
    if ours.peak_gpu_bytes is not None:
        keys["ours_peak_gpu_bytes"] = ours.peak_gpu_bytes
        keys["peer_peak_gpu_bytes"] = peer.peak_gpu_bytes
    return keys
