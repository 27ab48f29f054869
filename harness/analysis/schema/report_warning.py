"""A warning: what a reader must know before the verdict is believed."""

from __future__ import annotations

from typing import Literal

from harness.analysis.schema import Conclusion

Severity = Literal["severe", "warning"]


class ReportWarning(Conclusion):
    """Something that makes the verdict, or an arm's figures, doubtful. It changes neither."""

    severity: Severity
    """Severe: the figures say little about what the arms can do."""
    text: str
    """In one line: what was found, with its figures, and what it means."""
    arms: tuple[str, ...] = ()
    """Whose figures it is about; empty: all."""

    @property
    def name(self) -> str:
        """What it is called where it stands: its severity in words."""
        return "Severe warning" if self.severity == "severe" else "Warning"
