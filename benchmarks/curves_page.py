"""The section of learning curves, at the end of the page of directions.

Pure: the same curves give the same section.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.findings import Curve
from harness.analysis import LearningCurve


def section(found: Mapping[str, Curve]) -> str:
    """Return the section, in Markdown.

    Args:
        found: by the name of the task.
    """
    drawn = "Drawn by `python -m benchmarks curves`"
    lines = [
        "## Learning curves",
        "",
        f"{drawn}; 95% bands." if found else f"{drawn}: not run yet.",
    ]
    for name, of_task in found.items():
        when = f"Last run on {of_task.started_on} on {of_task.machine}."
        lines += ["", f"### `{name}`", "", when, "", *_lines(of_task.curve)]
    return "\n".join(lines)


def _lines(curve: LearningCurve) -> Iterator[str]:
    sizes = sorted({point.labels_n for line in curve.lines for point in line.points})
    yield f"| arm ({curve.metric}) | {' | '.join(f'{size} labels' for size in sizes)} |"
    yield f"|{'---|' * (len(sizes) + 1)}"
    for line in curve.lines:
        at = {
            point.labels_n: f"{point.value:.3f} ({point.ci_low:.3f} to {point.ci_high:.3f})"
            for point in line.points
        }
        yield f"| `{line.strategy}` | {' | '.join(at.get(size, '–') for size in sizes)} |"
    yield ""
    yield from (f"- {crossover.text}." for crossover in curve.crossovers)
    for effect in curve.effects:
        if effect.value is not None and effect.ci_low is not None and effect.ci_high is not None:
            change = f"{effect.value:+.3f} ({effect.ci_low:+.3f} to {effect.ci_high:+.3f})"
            yield f"- `{effect.strategy}` with {effect.kind} {effect.amount:g}: {change}."
    if curve.missing:
        yield f"- Missing: {'; '.join(curve.missing)}."
