"""Run folder → scores, intervals, cost, break-even, verdict. Pure; starts no process."""

from harness.analysis.analyse import judge, stale_prices
from harness.analysis.compare_runs import compare
from harness.analysis.cost.cost import FITTING_REQUESTS, MACHINE_TIME
from harness.analysis.performance.memory import fitting_memory, serving_memory
from harness.analysis.schema.comparison import (
    Comparison,
    CostCurve,
    CostParts,
    Foresight,
    Recommendation,
    Resolution,
    Row,
)
from harness.analysis.schema.diagnostics import ArmDiagnostics, Change
from harness.analysis.schema.scores import Difference, Score
from harness.analysis.scoring.breakdown import ahead_in
from harness.analysis.scoring.citations import CitedAnswer

__all__ = [
    "FITTING_REQUESTS",
    "MACHINE_TIME",
    "ArmDiagnostics",
    "Change",
    "CitedAnswer",
    "Comparison",
    "CostCurve",
    "CostParts",
    "Difference",
    "Foresight",
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
