"""Run folder → scores, intervals, cost, break-even, verdict. Pure; starts no process."""

from harness.analysis.analyse import analyse, analysis_of, stale_prices
from harness.analysis.compare_runs.changed_rows import ChangedRow, ChangedRows
from harness.analysis.compare_runs.compare import ArmChange, RunsCompared, compare
from harness.analysis.compare_runs.lines import compared_lines
from harness.analysis.compare_runs.setups import SetupChange
from harness.analysis.examples.all_rows import IN_ONE_FILE, AllRows
from harness.analysis.history import History, PastArm, PastRun, Timeline, history_of
from harness.analysis.performance.measured import fitting_memory, serving_memory
from harness.analysis.report_warnings import first_warnings
from harness.analysis.schema.comparison import (
    ArmResult,
    Comparison,
    CostCurve,
    CostPart,
    CostParts,
    Flip,
    Foresight,
    Recommendation,
)
from harness.analysis.schema.curve import LearningCurve
from harness.analysis.schema.diagnostics import ArmDiagnostics, Change
from harness.analysis.schema.effort import EffortResult
from harness.analysis.schema.examples import Example, ExampleAnswer, Examples, Shown
from harness.analysis.schema.report_warning import ReportWarning
from harness.analysis.schema.scores import (
    AnswerCounts,
    CitedAnswer,
    Difference,
    Leakage,
    Resolution,
    Score,
)
from harness.analysis.schema.trainings import Training, Trainings
from harness.analysis.schema.weaknesses import Confusion, Sureness
from harness.analysis.scoring.breakdown import ahead_in
from harness.analysis.scoring.trainings import trainings_text
from harness.analysis.standing import ordered, status

__all__ = [
    "IN_ONE_FILE",
    "AllRows",
    "AnswerCounts",
    "ArmChange",
    "ArmDiagnostics",
    "ArmResult",
    "Change",
    "ChangedRow",
    "ChangedRows",
    "CitedAnswer",
    "Comparison",
    "Confusion",
    "CostCurve",
    "CostPart",
    "CostParts",
    "Difference",
    "EffortResult",
    "Example",
    "ExampleAnswer",
    "Examples",
    "Flip",
    "Foresight",
    "History",
    "Leakage",
    "LearningCurve",
    "PastArm",
    "PastRun",
    "Recommendation",
    "ReportWarning",
    "Resolution",
    "RunsCompared",
    "Score",
    "SetupChange",
    "Shown",
    "Sureness",
    "Timeline",
    "Training",
    "Trainings",
    "ahead_in",
    "analyse",
    "analysis_of",
    "compare",
    "compared_lines",
    "first_warnings",
    "fitting_memory",
    "history_of",
    "ordered",
    "serving_memory",
    "stale_prices",
    "status",
    "trainings_text",
]
