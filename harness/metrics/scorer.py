"""Scores answers by a task's own metric: `python -m harness.metrics.scorer REPLIES NAME BASE`.

Reads rows of (id, answer, accepted answers) from standard input, a list a line, and writes what
they are worth to a descriptor. The other side is apart.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from harness.errors import HarnessError
from harness.metrics.apart import TELL_EVERY_S
from harness.metrics.custom import CheckedWorth, worth_of

_dumps, _loads, _write, _exit, _clock = json.dumps, json.loads, os.write, os._exit, time.monotonic


def main(replies: str, name: str, base: str) -> None:
    """Score until standard input ends."""
    out, told = int(replies), _clock()
    worth: CheckedWorth | None = None

    def tell(reply: object) -> None:
        left = memoryview((_dumps(reply) + "\n").encode())
        while left:
            left = left[_write(out, left) :]

    source = sys.stdin.buffer
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - the code's, until the end
    for line in source:
        try:
            worth = worth or worth_of(name, Path(base))
            found = []
            for item, answer, accepted in _loads(line):
                if _clock() - told > TELL_EVERY_S:
                    told = _clock()
                    tell(item)
                found.append(worth(item, answer, tuple(accepted)))
            tell({"worths": found})
        except HarnessError as problem:
            tell({"fault": str(problem)})
    _exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
