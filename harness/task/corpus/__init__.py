"""The documents of a task: a folder of files, or a file of rows. One module for each format."""

from harness.task.corpus.corpus import FORMATS, Corpus, read_corpus
from harness.task.corpus.skipped import Skipped
from harness.task.corpus.table import Table

__all__ = ["FORMATS", "Corpus", "Skipped", "Table", "read_corpus"]
