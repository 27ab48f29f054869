"""The sections of a report, in the order in which a reader meets them."""

from __future__ import annotations

from reports.section import SectionOf
from reports.sections.arms import arms
from reports.sections.costs import changes, costs
from reports.sections.data_audit import data_audit
from reports.sections.diagnostics import citations, diagnostics, forecasts
from reports.sections.effort import effort
from reports.sections.evidence import answers_read, differences, gaps, rejected, resolution
from reports.sections.examples import examples
from reports.sections.leakage import leakage
from reports.sections.learning_curve import learning_curve
from reports.sections.method import criteria, glossary, notes, reproduce
from reports.sections.trainings import trainings
from reports.sections.weaknesses import (
    by_label,
    confusions,
    robustness,
    slices,
    sureness,
    unanswerable,
)

SECTIONS: tuple[SectionOf, ...] = (
    arms,
    trainings,
    learning_curve,
    confusions,
    by_label,
    slices,
    unanswerable,
    sureness,
    robustness,
    examples,
    glossary,
    rejected,
    costs,
    changes,
    criteria,
    data_audit,
    notes,
    answers_read,
    leakage,
    gaps,
    differences,
    resolution,
    citations,
    effort,
    diagnostics,
    forecasts,
    reproduce,
)
"""One list draws HTML and Markdown. A new section is a function of a comparison, named here."""
