"""The command: python -m benchmarks NAME [--quick] [--only PART ...].

Progress, machine and settings go to stderr; the last line of stdout is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.sides import SideError, Sides
from harness.errors import HarnessError

NAMES = (
    "choice_scoring",
    "many_labels",
    "lora_training",
    "generation",
    "utilisation",
    "retrieval",
    "directions",
    "arms",
    "coverage",
    "verdicts",
    "published",
    "analysis",
    "label_errors",
    "faults",
    "curve",
    "curves",
    "rows_browser",
    "ray",
)
INSTALL = "pip install -c constraints.txt -e '.[benchmarks]'"
FAILED, MISTAKE = 1, 2


def main(words: Sequence[str] | None = None) -> int:
    """Run one benchmark and return the exit code: 0, 1 a side failed, 2 something is missing."""
    arguments = _parser().parse_args(words)
    benchmark = import_module(f"benchmarks.{arguments.name}")
    missing = [name for name in benchmark.PACKAGES if find_spec(name) is None]
    if missing:
        print(
            f"{arguments.name} runs beside {' and '.join(missing)}, which is not installed"
            f" → {INSTALL}",
            file=sys.stderr,
        )
        return MISTAKE
    parts = getattr(benchmark, "PARTS", ())
    if unknown := [part for part in arguments.only if part not in parts]:
        known = f"these parts: {', '.join(parts)}" if parts else "no parts → leave out --only"
        print(f"{arguments.name} has no {unknown[0]}; it has {known}", file=sys.stderr)
        return MISTAKE
    try:
        found = _run(arguments.name, benchmark, arguments.quick, arguments.only)
    except HarnessError as problem:
        print(problem, file=sys.stderr)
        return MISTAKE
    except SideError as problem:
        print(f"{arguments.name} failed: {problem}", file=sys.stderr)
        return FAILED
    print(json.dumps(found))
    return 0


def _run(name: str, benchmark: Any, quick: bool, only: Sequence[str]) -> dict[str, Any]:
    from benchmarks.machine import describe, summary
    from benchmarks.models import MODEL, fetch
    from harness.machine.device import device_and_dtype

    model = getattr(benchmark, "MODEL", MODEL)
    if model == MODEL:
        fetch()
    machine = describe(device_and_dtype("auto")[0])
    sides = Sides(quick, machine["device"], only)
    sides.say(f"{name}: {(benchmark.__doc__ or '').splitlines()[0]}")
    sides.say(f"on {summary(machine)}")
    found = benchmark.run(sides)
    sides.say(f"the peer's settings: {json.dumps(found['peer_settings'])}")
    return {"name": name, "quick": quick, "model": model, **found, "machine": machine}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The engine beside its peers, on this machine."
    )
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="less work: within five minutes")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="PART", help="of arms, curves and directions"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
