"""The engine beside its peers: the same work on the same machine, in one run.

Uses what `harness.lm` exports; nothing in the project imports this package. See README.md here.
"""
