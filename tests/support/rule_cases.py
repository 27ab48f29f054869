"""Arms and resamples made by hand, for the rule and its words."""

from __future__ import annotations

import numpy as np

from harness.analysis.decision import wording
from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import ArmFigures
from harness.analysis.schema.comparison import Check
from harness.stats.mcb import MultipleComparisons

MISSED = Check(key="limits.min_score", text="too low", state="missed", excess=0.2)
CLOSE = Check(key="limits.max_p95_ms", text="a bit slow", state="missed", excess=0.05)
UNKNOWN = Check(key="limits.max_usd_per_1k", text="give a price row", state="unknown")


def arm(name, score, cost=1.0, complexity=1, checks=()):
    return ArmFigures(name, score, complexity, tuple(checks), cost, total_usd=cost)


GOOD = arm("good", 0.90, cost=10, complexity=5)


def comparisons(arms, sd=0.004, n=1000):
    """Resamples that spread by `sd`, a number or one for each arm, independently."""
    scores = np.array([a.score for a in arms])
    spread = np.broadcast_to(np.array(sd), scores.shape)[:, None]
    noise = np.random.default_rng(0).normal(size=(len(arms), 4_000))
    noise -= noise.mean(axis=1, keepdims=True)
    resampled = scores[:, None] + spread * noise
    return MultipleComparisons(tuple(a.name for a in arms), scores, resampled, n)


def verdict(arms, margin=0.05, sd=0.004, n=1000):
    return decide(arms, comparisons(arms, sd, n), margin)


def told(arms, margin=0.05, sd=0.004, n=1000, absent=None):
    """Return the verdict in words."""
    return in_words(arms, comparisons(arms, sd, n), margin, absent)


def in_words(arms, made, margin, absent=None):
    found = decide(arms, made, margin, absent or {})
    needed = {n: made.items_to_decide(found.competing, n, margin) for n in found.undecided}
    return wording.recommendation(found, needed, absent or {})


def outcome(found):
    """Return verdict, choice, whom it ties with, and whether it is provisional."""
    name = getattr(found, "verdict", None) or found.name
    return name, found.choice, set(found.tied_with), found.provisional
