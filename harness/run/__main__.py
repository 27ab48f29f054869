"""`python -m harness.run JOB LIFELINE TIME`: the worker's entry, which `spawn.py` starts."""

import sys

from harness.run.worker import main

main(*sys.argv[1:])
