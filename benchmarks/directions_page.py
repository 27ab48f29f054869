"""The page of directions: what papers report beside what was found, then every cut's table.

Pure: the same findings give the same page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.cuts import WRITERS
from benchmarks.findings import Findings, Value
from benchmarks.outcomes import SAME, Outcome
from benchmarks.papers import REWORKED_ON
from harness.wording import numbers

REFERENCES = ("tfidf", "encoder_all")
"""The cheap contenders that all others stand beside, where a cut has them."""
REMARKS = {
    "one_billion": "A model of random weights: what it takes is meant, its scores mean nothing.",
    "hundred_thousand": "What a large corpus takes, and what is found among so many documents.",
}
"""What stands for a verdict where a cut is no contest."""


def drawn(findings: Mapping[str, Findings], outcomes: Sequence[Outcome]) -> str:
    """Return the page, in Markdown."""
    missed = [outcome for outcome in outcomes if outcome.found != "as reported"]
    blocks = [
        "# Directions that papers report, on a model of 135 million weights",
        "Drawn by `python -m benchmarks directions` from runs of the cuts in `cuts.py`, each by"
        " `python -m harness run`, and kept in `found/`. A difference is of the same test items,"
        " with its 95 % interval; it agrees with a paper if all of the interval does, and two arms"
        f" are the same if all of it is within ±{SAME}. Papers mostly report larger models: what"
        " does not reproduce here speaks of this size and these few rows.",
        "\n".join(
            [
                "| paper | reports | cut | difference | found |",
                "|---|---|---|---|---|",
                *map(_line, outcomes),
            ]
        ),
        "## What did not reproduce",
        "\n".join(f"- {sentence(outcome)}" for outcome in missed)
        or "Everything that was tested did.",
    ]
    blocks += _with_care(outcomes)
    if missing := [f"`{name}`" for name in WRITERS if name not in findings]:
        blocks.append(f"Cuts that have not been run yet: {', '.join(missing)}.")
    if older := [f"`{name}`" for name, found in findings.items() if found.started_on < REWORKED_ON]:
        blocks.append(
            f"Last run before {REWORKED_ON}, since when arms that prompt, retrieve and tune do"
            f" better (`arms.md` has some of them): {', '.join(older)}. Their scores are of the"
            " arms as they were."
        )
    for name, found in findings.items():
        said = REMARKS.get(name, found.headline)
        blocks += [f"## `{name}`", f"{said} {_when(found)}", _table(found)]
    return "\n\n".join(blocks) + "\n"


def sentence(outcome: Outcome) -> str:
    """Say what did not reproduce."""
    wanted = outcome.direction
    how = {
        "the other way": "Here it is the other way round",
        "not shown": "Here the interval allows either",
        "as reported": "So it is here",
    }[outcome.found]
    return (
        f"{wanted.paper}: {wanted.says}. {how}: on `{outcome.cut}` `{wanted.arm}` differs from"
        f" `{wanted.than}` by {_signed(outcome.difference)} {outcome.metric}."
    )


def _with_care(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what is left of findings beside an arm that was done with care; nothing: no blocks."""
    said = {True: "stays", False: "was made by a weak arm"}
    lines = [
        f"| {o.direction.says} | `{o.cut}` | `{o.direction.than}`: {_signed(o.difference)}"
        f" | `{o.direction.with_care}`: {_signed(o.with_care)} |"
        f" {said[o.found == o.found_with_care]} |"
        for o in outcomes
        if o.with_care is not None
    ]
    if not lines:
        return []
    return [
        "## Findings that a weak arm made",
        "Demonstrations drawn at random are what a user takes who takes no care. The same"
        " differences from the arm with care:",
        "\n".join(
            [
                "| reports | cut | from the weak arm | from the arm with care | finding |",
                "|---|---|---|---|---|",
                *lines,
            ]
        ),
    ]


def _when(found: Findings) -> str:
    commit = f"at commit `{found.git_commit[:7]}`" if found.git_commit else "at no commit"
    return f"Last run on {found.started_on}, {commit}, on {found.machine}."


def _line(outcome: Outcome) -> str:
    wanted = outcome.direction
    claim = f"{wanted.says}: `{wanted.arm}` {wanted.relation} `{wanted.than}`"
    difference = f"{_signed(outcome.difference)} {outcome.metric}"
    return f"| {wanted.paper} | {claim} | `{outcome.cut}` | {difference} | {outcome.found} |"


def _signed(found: Value) -> str:
    return f"{found.value:+.3f} ({found.ci_low:+.3f} to {found.ci_high:+.3f})"


def _table(found: Findings) -> str:
    """Scores, and what each arm takes; no times: a cut may be run on a machine with other work."""
    beside = {name: found.differences[name] for name in REFERENCES if name in found.differences}
    heads = ["arm", found.metric, *(f"beside `{name}`" for name in beside)]
    heads += ["peak memory in fitting", "in serving", "artifact"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for arm in found.arms:
        if arm.score is None:
            empty = " |" * (len(heads) - 2)
            lines.append(f"| `{arm.name}` | {arm.status}: {arm.error} |{empty}")
            continue
        cells = [
            f"`{arm.name}`",
            f"{arm.score.value:.3f} ({numbers.interval(arm.score.ci_low, arm.score.ci_high)})",
            *(_signed(of[arm.name]) if arm.name in of else "" for of in beside.values()),
            numbers.size(arm.fit_peak_bytes),
            numbers.size(arm.predict_peak_bytes),
            numbers.size(arm.artifact_bytes),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    models = [f"- `{model.arm}`: {model.loaded}" for model in found.models]
    return "\n".join([*lines, *(["", "Models as loaded:", "", *models] if models else [])])
