"""The process in which one part of a trial runs."""
