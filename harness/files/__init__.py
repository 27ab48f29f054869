"""Files: hashes, whole replacement, YAML with its lines, code and what it imports.

Knows no noun of the project.
"""
