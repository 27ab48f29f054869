"""The losses of trainings: a plot for each of the first arms that were trained."""

from __future__ import annotations

from harness.analysis import Comparison
from reports.plots.losses import MOST_ARMS, loss_plots
from reports.section import Beside, Block, Section, Text


def losses(comparison: Comparison) -> Section | None:
    """Return the plots; None where nobody logged a training."""
    found = loss_plots(comparison)
    if not found:
        return None
    blocks: list[Block] = [Beside(tuple(found))]
    logged = sum(bool(row.diagnostics.losses) for row in comparison.arms)
    if logged > MOST_ARMS:
        more = f"{logged - MOST_ARMS} more arms were trained; comparison.json has their losses."
        blocks.append(Text(more, small=True))
    finding = " ".join(plot.finding for plot in found[:2])
    return Section("losses", "G", "Losses by training step", tuple(blocks), finding)
