"""Bytes on disk: hashes, YAML with its lines, code from a path. Knows no noun of the project."""
