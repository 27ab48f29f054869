"""Takes a model's liking for some labels out of its scores: one number a label, and a temperature.

A language model finds some labels likely whatever it is asked. What it adds to them is found before
anything is served, on inputs that are not to be answered, and is kept in the artifact: an answer
depends on its query alone. Served is the label with the largest score/temperature + bias. Knows
nothing of prompts and models.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import exp, log
from pathlib import Path
from typing import Any, Literal

from harness.types import Prediction

CalibrationKind = Literal["off", "prior_matched", "contextual", "vector"]
"""off: the model's own scores; prior_matched: labels come up as often as in the rows, on average
over inputs to learn from; contextual: equally often where there is nothing to read (Zhao et al.
2021, arXiv 2102.09690); vector: biases and a temperature that make the answers of labelled rows
likeliest (vector scaling, Guo et al. 2017, arXiv 1706.04599, with one temperature)."""
CONTENT_FREE = ("N/A", "", "[MASK]")
"""Inputs that say nothing (Zhao et al. 2021, section 5.1)."""
HALF_A_ROW = 0.5
"""What a label counts on average beside its rows, so that one without rows is improbable and not
impossible (Krichevsky and Trofimov 1981, "The Performance of Universal Encoding")."""
PENALTY = 1.0
"""Of the squared biases, against the summed loss of all rows: on the 94 validation rows of
ticket_triage a third of it to three times it did alike by cross-validation."""
ROUNDS, CLOSE = 1000, 1e-6
"""Rescalings at the most, and the difference between shares at which they end."""


@dataclass(frozen=True)
class Calibration:
    """What is done to the scores of each answer."""

    bias: Mapping[str, float] = field(default_factory=dict)
    """Label to what is added to its log-probability, in natural logarithms; 0 of any other."""
    temperature: float = 1.0
    """What log-probabilities are divided by before that."""

    def of(self, logprobs: Mapping[str, float]) -> dict[str, float]:
        """Return log-probabilities as calibrated, normalised over the labels."""
        moved = {
            label: value / self.temperature + self.bias.get(label, 0.0)
            for label, value in logprobs.items()
        }
        # The largest is taken out first, so that no `exp` underflows.
        top = max(moved.values())
        normaliser = top + log(sum(exp(value - top) for value in moved.values()))
        return {label: value - normaliser for label, value in moved.items()}

    def applied(self, prediction: Prediction) -> Prediction:
        """Return an answer as calibrated: its label may be another one.

        One without log-probabilities stays as it is.
        """
        if not prediction.label_logprobs:
            return prediction
        logprobs = self.of(prediction.label_logprobs)
        return replace(
            prediction, text=max(logprobs, key=lambda one: logprobs[one]), label_logprobs=logprobs
        )

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1))

    @classmethod
    def load(cls, file: Path) -> Calibration:
        """Read what `save` wrote."""
        return cls(**json.loads(file.read_text()))


def match_shares(predictions: Sequence[Prediction], shares: Mapping[str, float]) -> Calibration:
    """Return biases by which each label's mean probability is its share.

    That is domain-context calibration (Fei et al. 2023, arXiv 2305.19148) with the labels' own
    shares in place of equal ones, which would spoil an unbalanced task. Where the shares are those
    of the very rows, the biases are also the likeliest ones: the derivative of the mean
    log-likelihood by a bias is share − mean probability.

    Args:
        predictions: uncalibrated answers to inputs of the task's kind.
        shares: label to its share; all above 0.
    """
    import numpy as np

    labels, scores = table(predictions)
    if not len(scores):
        return Calibration()
    wanted = np.array([shares[label] for label in labels])
    wanted = np.log(wanted / wanted.sum())  # [labels]
    bias = np.zeros(len(labels))
    # Rows and columns of the table of probabilities are scaled by turns, which ends at the one
    # table that has both sums (Sinkhorn 1964).
    for _ in range(ROUNDS):
        moved = _normalised(scores + bias)  # [rows, labels]
        seen = np.logaddexp.reduce(moved, axis=0) - log(len(moved))  # [labels], log mean p
        bias += wanted - seen
        if np.abs(np.exp(seen) - np.exp(wanted)).max() < CLOSE:
            break
    bias -= bias.mean()
    return Calibration(dict(zip(labels, bias.tolist(), strict=True)))


def match_answers(predictions: Sequence[Prediction], answers: Sequence[str]) -> Calibration:
    """Return biases and a temperature that make labelled rows' answers likeliest.

    With a penalty on the biases: a label of few rows keeps the model's own score.

    Args:
        predictions: uncalibrated answers to rows that the model was not trained on.
        answers: the right label of each.
    """
    import numpy as np
    from scipy.optimize import minimize

    labels, scores = table(predictions)
    if not len(scores):
        return Calibration()
    right = np.array([labels.index(answer) for answer in answers])
    rows, penalty = np.arange(len(scores)), PENALTY / len(scores)

    def loss(values: Any) -> tuple[float, Any]:
        """Return the penalised mean loss at (log of 1/temperature, biases), and its gradient."""
        sharpness, bias = np.exp(values[0]), values[1:]
        moved = _normalised(sharpness * scores + bias)
        wrong = np.exp(moved)
        wrong[rows, right] -= 1.0  # [rows, labels], derivative by the moved scores
        by_bias = wrong.mean(axis=0) + 2 * penalty * bias
        by_sharpness = (wrong * scores).sum() / len(scores) * sharpness
        mean = -moved[rows, right].mean() + penalty * (bias**2).sum()
        return float(mean), np.concatenate([[by_sharpness], by_bias])

    found = minimize(loss, np.zeros(1 + len(labels)), jac=True, method="L-BFGS-B").x
    bias = dict(zip(labels, found[1:].tolist(), strict=True))
    return Calibration(bias, float(np.exp(-found[0])))


def shares_of(answers: Sequence[str], before: Mapping[str, float]) -> dict[str, float]:
    """Return each label's share among answers, with half an answer a label more.

    Args:
        answers: the right labels of some rows.
        before: label to the share that is expected before any is seen.
    """
    counts, more = Counter(answers), HALF_A_ROW * len(before)
    total = len(answers) + more
    return {label: (counts[label] + more * share) / total for label, share in before.items()}


def equal_shares(labels: Sequence[str]) -> dict[str, float]:
    """Return the same share for each label."""
    return dict.fromkeys(labels, 1 / len(labels))


def table(predictions: Sequence[Prediction]) -> tuple[list[str], Any]:
    """Return the labels and the log-probabilities, [rows, labels], of answers that have them."""
    import numpy as np

    rows = [given.label_logprobs for given in predictions if given.label_logprobs]
    labels = list(rows[0]) if rows else []
    return labels, np.array([[row[label] for label in labels] for row in rows])


def _normalised(scores: Any) -> Any:
    """Return scores, [rows, labels], as log-probabilities."""
    import numpy as np

    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
