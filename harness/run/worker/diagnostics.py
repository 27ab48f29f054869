"""What a worker asks an arm when its answers are closed: the general probe, perturbed queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from harness.errors import StrategyError
from harness.probes.perturbations import REORDERED
from harness.run.worker.claims import is_log_probability
from harness.strategy import Strategy
from harness.types import Prediction, Query, read_prompt

Row = dict[str, Any]
Answer = Callable[[Sequence[Query]], list[Prediction]]


def scored(strategy: Strategy, items: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the log-likelihood of every completion of the general probe's items.

    All in one call, so that a question's options share its computation.

    Args:
        strategy: a loaded one.
        items: as `harness.probes.general_knowledge.items` gives them.

    Returns:
        For each item its `id`, `kind`, `log_likelihoods` (natural, one a completion) and what the
        analysis needs to make figures of them: `bytes` or `right`.

    Raises:
        StrategyError: what came back is not a finite number for each completion.
    """
    prompts = [item["prompt"] for item in items for _ in item["completions"]]
    found = strategy.log_likelihood(prompts, [c for item in items for c in item["completions"]])
    values = iter(likelihoods(found, len(prompts)))
    rows = []
    for item in items:
        kept = {key: value for key, value in item.items() if key not in ("prompt", "completions")}
        rows.append(kept | {"log_likelihoods": [next(values) for _ in item["completions"]]})
    return rows


def likelihoods(found: Sequence[float], n: int) -> Sequence[float]:
    """Return log-likelihoods as a strategy gave them, one for each of n prompts.

    Raises:
        StrategyError: they are more or fewer, or one is not the logarithm of a probability.
    """
    if len(found) != n or not all(map(is_log_probability, found)):
        raise StrategyError(
            "log_likelihood must return a finite number of at most 0 for each prompt"
        )
    return found


def answers_to(asked: Sequence[Row], answer: Answer) -> list[Row]:
    """Return the answers to perturbed queries, one call for each perturbation.

    Args:
        asked: `perturbation` and `query`, the same perturbation's together.
        answer: a loaded arm.
    """
    rows: list[Row] = []
    for name, group in groupby(asked, key=lambda row: str(row["perturbation"])):
        queries = [Query.from_row(row["query"]) for row in group]
        rows += _rows(name, queries, answer(queries))
    return rows


def answers_when_reordered(listed: Sequence[Row], answer: Answer) -> list[Row]:
    """Return the answers under reordered labels; none where the arm shows no list of them.

    Args:
        listed: `query`, and the `prompt` that was put for it under the labels' own order.
        answer: an arm that was loaded under the other order.
    """
    queries = [Query.from_row(row["query"]) for row in listed]
    [first] = answer(queries[:1])
    if first.prompt == read_prompt(listed[0]["prompt"]):
        return []
    return list(_rows(REORDERED, queries, answer(queries)))


def _rows(name: str, queries: Sequence[Query], answers: Sequence[Prediction]) -> Iterator[Row]:
    for query, given in zip(queries, answers, strict=True):
        yield {"perturbation": name, "id": query.id, **asdict(given)}
