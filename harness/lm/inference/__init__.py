"""Tokens in, log-likelihoods or tokens out."""
