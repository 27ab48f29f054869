"""The sections of a report, in the order in which a reader meets them."""

from __future__ import annotations

from reports.section import SectionOf
from reports.sections.arms import arms
from reports.sections.costs import changes, components, costs
from reports.sections.data_audit import data_audit
from reports.sections.diagnostics import citations, diagnostics
from reports.sections.effort import effort
from reports.sections.evidence import (
    answers_read,
    differences,
    gaps,
    reasons,
    rejected,
    resolution,
)
from reports.sections.examples import examples
from reports.sections.leakage import leakage
from reports.sections.learning_curve import learning_curve
from reports.sections.losses import losses
from reports.sections.method import criteria, glossary, notes, parameters, reproduce, rule
from reports.sections.speed import forecasts, speed
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
    reasons,
    rejected,
    costs,
    changes,
    components,
    confusions,
    by_label,
    slices,
    unanswerable,
    sureness,
    robustness,
    answers_read,
    examples,
    citations,
    losses,
    trainings,
    learning_curve,
    effort,
    diagnostics,
    speed,
    forecasts,
    resolution,
    gaps,
    differences,
    leakage,
    criteria,
    rule,
    parameters,
    notes,
    data_audit,
    reproduce,
    glossary,
)
"""One list draws HTML and Markdown. A new section is a function of a comparison, named here."""
