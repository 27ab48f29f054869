"""One side of a benchmark, in an interpreter of its own: python -m benchmarks.side JOB OUTCOME.

The job names a function and its arguments; the function returns its measurement and its values,
which are written to OUTCOME. Started by `benchmarks.sides`, not by hand.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main(job_file: str, outcome_file: str) -> None:
    """Do the job that `job_file` holds."""
    job = json.loads(Path(job_file).read_text())
    function = getattr(import_module(job["module"]), job["function"])
    measurement, values = function(**job["arguments"])
    Path(outcome_file).write_text(json.dumps({"measurement": measurement, "values": values}))


if __name__ == "__main__":
    main(*sys.argv[1:])
