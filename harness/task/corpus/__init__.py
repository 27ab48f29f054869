"""The documents of a task: a folder of files, or a file of rows. One module for each format."""

from harness.task.corpus.corpus import FORMATS, Corpus, read_corpus
from harness.task.corpus.skipped import Skipped

__all__ = ["FORMATS", "Corpus", "Skipped", "read_corpus"]
