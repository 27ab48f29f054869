"""Run folder → scores, intervals, cost, break-even, verdict. Pure; starts no process."""

from harness.judge.arm_facts import ArmFacts, Change
from harness.judge.compare import compare
from harness.judge.comparison import (
    Comparison,
    CostCurve,
    CostParts,
    Difference,
    Recommendation,
    Resolution,
    Row,
    Score,
)
from harness.judge.cost import FITTING_REQUESTS, MACHINE_TIME
from harness.judge.court import judge

__all__ = [
    "FITTING_REQUESTS",
    "MACHINE_TIME",
    "ArmFacts",
    "Change",
    "Comparison",
    "CostCurve",
    "CostParts",
    "Difference",
    "Recommendation",
    "Resolution",
    "Row",
    "Score",
    "compare",
    "judge",
]
