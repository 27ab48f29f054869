"""Perturbations: the same questions as people also write them. Pure and seeded.

Each changes a query's text alone; id, visible fields and groups stay. What is right does not
change with them where an answer is read off the meaning. Where an answer copies words of the input,
casing and typos are copied too: such figures say how faithful an arm is, and are read with care.
Knows nothing of models, tasks' data or scores.

`typos`         slips of the finger in about one long word of five (typos.py)
`lower case`    all letters small
`upper case`    all letters capital
`noise`         an unrelated polite sentence after the text (noise.py)
`reordered options`  the labels listed from the last to the first; not of the query: see `reordered`
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from harness.probes.noise import with_noise
from harness.probes.typos import with_typos
from harness.types import Query, TaskInfo

SAMPLE_ROWS = 50
"""Test rows that are perturbed: enough to see an arm fall apart, few enough to take seconds."""
SEED = 0
REORDERED = "reordered options"
OF_TEXTS: Mapping[str, Callable[[str, random.Random], str]] = {
    "typos": with_typos,
    "lower case": lambda text, _: text.lower(),
    "upper case": lambda text, _: text.upper(),
    "noise": with_noise,
}


def sample(queries: Sequence[Query]) -> list[Query]:
    """Return a seeded sample of at most SAMPLE_ROWS queries, in their order."""
    chosen = random.Random(SEED).sample(range(len(queries)), min(SAMPLE_ROWS, len(queries)))
    return [queries[place] for place in sorted(chosen)]


def perturbed(queries: Sequence[Query]) -> Iterator[tuple[str, Query]]:
    """Yield the perturbation's name and the query for all that a perturbation really changes.

    Each text has a random sequence of its own, from the seed, the perturbation and the query's id:
    what is done to it does not depend on the other rows.
    """
    for name, change in OF_TEXTS.items():
        for query in queries:
            text = change(query.text, random.Random(f"{SEED} {name} {query.id}"))
            if text != query.text:
                yield name, replace(query, text=text)


def reordered(task: TaskInfo) -> TaskInfo:
    """Return the description with its labels in the opposite order.

    Language models favour options by their place in a list (Pezeshkpour and Hruschka 2023, arXiv
    2308.11483). Of all orders, the opposite one has the most pairs of labels the other way round.
    """
    return replace(task, labels=dict(reversed(list(task.labels.items()))))
