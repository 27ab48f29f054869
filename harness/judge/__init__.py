"""Run folder → scores, intervals, cost, break-even, verdict. Pure; starts no process."""

from harness.judge.arm_facts import ArmFacts, Change
from harness.judge.compare import compare
from harness.judge.comparison import (
    Comparison,
    CostCurve,
    Difference,
    Recommendation,
    Resolution,
    Row,
    Score,
)
from harness.judge.court import judge

__all__ = [
    "ArmFacts",
    "Change",
    "Comparison",
    "CostCurve",
    "Difference",
    "Recommendation",
    "Resolution",
    "Row",
    "Score",
    "compare",
    "judge",
]
