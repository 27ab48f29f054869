"""What is asked of an arm when its answers are closed and hashed, by processes of their own.

How likely it finds the right answers, the general probe, perturbed test queries. Knows nothing of
processes and scores.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from harness.files.hashing import sha256_of
from harness.lm.chat import running_text
from harness.probes import general_knowledge as probe
from harness.probes import perturbations as perturb
from harness.run.dispatch import WRITTEN, Inputs, Kind
from harness.store.records import PlannedTrial
from harness.store.run_folder import RunFolder, read_predictions
from harness.strategy import Strategy
from harness.task import Task
from harness.types import Prediction, TaskInfo


@dataclass(frozen=True)
class Question:
    """What a process asks, and where it lays down what it finds."""

    kind: Kind
    folder: Path
    inputs: Inputs
    of: str
    """Hash of what the answer rests on besides the arm: while it is the same, an answer stands."""
    engine: str | None = None
    """Hash of the source that computes it, where it belongs to no fit, whose id would hold that."""
    sample: tuple[str, ...] = ()
    """Ids of the test rows that are perturbed, where it is about those."""


def likelihood_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask how likely the right answers are, after the very prompts that were put; or say why not.

    The only question that holds targets. Predictions are hashed by then: it can change none.
    """
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    given = read_predictions(here / WRITTEN["serve"])
    if any(prediction.prompt is None for prediction in given.values()):
        return "its answers name no prompts"
    answers = [(row.query.id, row.targets[0]) for row in task.test]
    rows = [{"id": i, "prompt": given[i].prompt, "answer": answer} for i, answer in answers]
    return Question("likelihood", here / "likelihood", {"answers": rows}, sha256_of(answers))


def probe_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask the general probe, which is of the fit alone: with other test rows its figures hold."""
    if task.strategies[trial.arm].log_likelihood is Strategy.log_likelihood:
        return "gives no likelihoods"
    here = folder.fit_folder(trial.arm, trial.fit_id) / "probe"
    return Question("probe", here, {"probe": probe.items()}, probe.sha256())


def robustness_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask perturbed test queries, and where labels are listed, the same under another order."""
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    given = read_predictions(here / WRITTEN["serve"])
    chosen = perturb.sample(task.test.queries)
    asked = [{"perturbation": name, "query": asdict(q)} for name, q in perturb.perturbed(chosen)]
    listed = [
        {"query": asdict(query), "prompt": given[query.id].prompt}
        for query in (chosen if _may_list(task.info, given[chosen[0].id]) else [])
    ]
    inputs: Inputs = {"perturbed": asked, "listed": listed}
    ids = tuple(query.id for query in chosen)
    return Question("robustness", here / "robustness", inputs, sha256_of(inputs), sample=ids)


def _may_list(task: TaskInfo, answer: Prediction) -> bool:
    """Tell whether an arm may have shown its labels: a prompt without one of them did not."""
    shown = "" if answer.prompt is None else running_text(answer.prompt)
    return len(task.labels) > 1 and all(label in shown for label in task.labels)
