"""`python -m harness.run.worker ROOT FOLDER INPUTS TIME [KEEPER]`: see `process.main`."""

import sys

from harness.run.worker.process import main

main(*sys.argv[1:])
