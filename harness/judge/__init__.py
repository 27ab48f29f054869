"""Run folder → scores, intervals, cost, break-even, verdict. Pure; starts no process."""

from harness.judge.arm_facts import ArmFacts, Change
from harness.judge.cited import CitedAnswer
from harness.judge.compare import compare
from harness.judge.comparison import (
    Comparison,
    CostCurve,
    CostParts,
    Recommendation,
    Resolution,
    Row,
)
from harness.judge.cost import FITTING_REQUESTS, MACHINE_TIME
from harness.judge.court import judge, stale_prices
from harness.judge.memory import fitting_memory, serving_memory
from harness.judge.scores import Difference, Score
from harness.judge.slices import ahead_in

__all__ = [
    "FITTING_REQUESTS",
    "MACHINE_TIME",
    "ArmFacts",
    "Change",
    "CitedAnswer",
    "Comparison",
    "CostCurve",
    "CostParts",
    "Difference",
    "Recommendation",
    "Resolution",
    "Row",
    "Score",
    "ahead_in",
    "compare",
    "fitting_memory",
    "judge",
    "serving_memory",
    "stale_prices",
]
