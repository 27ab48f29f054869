"""Writes the reference pages from the code, and the picture of the first page.

`python -m docs` writes both anew; tests/docs/test_reference.py holds the committed pages current.
"""
