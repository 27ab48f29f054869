"""Forecasts: memory, time and money of every arm, on this machine and on priced ones.

Reads what strategies declare (harness/work.py), models' configurations and the data; runs
nothing. A run is handed a forecast as a fact to store.
"""

from harness.plan.outlook import Outlook, foresee
from harness.plan.table import Section, closing, sections

__all__ = ["Outlook", "Section", "closing", "foresee", "sections"]
