"""Puts trainable weights on a model and tunes them on pairs of tokens."""
