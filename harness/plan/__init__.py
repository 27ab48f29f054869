"""Forecasts: memory, time and money of every arm, on this machine and on priced ones.

Reads what strategies declare (harness/workload.py), models' configurations and the data; runs
nothing. A run is handed a forecast as a fact to store.
"""

from harness.plan.table import Section, closing, sections
from harness.plan.task_forecast import Outlook, foresee

__all__ = ["Outlook", "Section", "closing", "foresee", "sections"]
