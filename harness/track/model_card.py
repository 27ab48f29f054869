"""A model card in the hub's format for each trained artifact of a run.

https://huggingface.co/docs/hub/model-cards: YAML front matter, then Markdown. It stands beside the
artifact and not in it, which is hashed. Texts of data and of tasks enter the front matter through
a YAML writer and the body as code, so none can break either. No path of this machine is named.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.analysis import ArmResult, Comparison
from harness.analysis.schema.scores import Score
from harness.files.atomic import atomic_write
from harness.store.fit_account import ARTIFACT
from harness.store.records import PlannedTrial, RunHeader
from harness.store.run_folder import RunFolder
from harness.types import ModelRef
from harness.wording import numbers
from harness.wording.visible import on_one_line

CARD = "README.md"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
PIPELINES = {"choice": "text-classification", "text": "text-generation", "json": "text-generation"}
"""Kind of answer to the hub's name of the task (huggingface.co/tasks)."""
METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "f1",
    "micro_f1": "f1",
    "weighted_f1": "f1",
    "exact_match": "exact_match",
    "bleu": "bleu",
    "chrf": "chrf",
    "rouge_l": "rouge",
}
"""Our metrics to the hub's ids, where it has the same."""
ADAPTER = "adapter_config.json"
LONGEST = 500
"""Characters of an instruction that a card repeats."""


def write_cards(folder: RunFolder, comparison: Comparison) -> list[Path]:
    """Write a card beside each artifact that holds tuned weights and is kept.

    Args:
        folder: of the run.
        comparison: what was found in it.

    Returns:
        The cards.
    """
    header, arms = folder.last_header(), {arm.strategy: arm for arm in comparison.arms}
    written = []
    for trial in header.trials:
        place = folder.fit_folder(trial.arm, trial.fit_id)
        arm = arms.get(trial.arm)
        if trial.tunes and arm is not None and (place / ARTIFACT).is_dir():
            text = card(header, trial, arm, (place / ARTIFACT / ADAPTER).is_file())
            atomic_write(place / CARD, text)
            written.append(place / CARD)
    return written


def card(header: RunHeader, trial: PlannedTrial, arm: ArmResult, adapter: bool) -> str:
    """Return the card of one trial's artifact.

    Args:
        header: of the run.
        trial: that made the artifact.
        arm: what was found of its arm.
        adapter: whether the artifact is an adapter of PEFT's, and not a whole model.
    """
    model = header.models.get(trial.model or "")
    front = _front(header.task, trial, arm, model, adapter)
    return f"---\n{_yaml(front)}---\n\n" + "\n".join(_body(header, trial, arm, model)) + "\n"


def _front(
    task: Mapping[str, Any],
    trial: PlannedTrial,
    arm: ArmResult,
    model: ModelRef | None,
    adapter: bool,
) -> dict[str, Any]:
    """Return the front matter; what is not known is left out."""
    kind = str(task["answer"]["kind"])
    scores = _scores(arm, trial.seed)
    front: dict[str, Any] = {"library_name": "peft" if adapter else "transformers"}
    if model is not None and model.hosted is None and HUB_ID.fullmatch(model.name):
        front["base_model"] = model.name
    if model is not None and model.licence:
        front["license"] = model.licence.lower()
    front["pipeline_tag"] = PIPELINES[kind]
    front["tags"] = ["worth-tuning", trial.strategy]
    front["metrics"] = list(dict.fromkeys(METRICS.get(s.metric, s.metric) for s in scores))
    results = {
        "task": {"type": PIPELINES[kind], "name": str(task["name"])},
        "dataset": {"type": "private", "name": f"{task['name']}, test rows"},
        "metrics": [_result(score) for score in scores],
    }
    front["model-index"] = [{"name": f"{trial.arm}, seed {trial.seed}", "results": [results]}]
    return front


def _scores(arm: ArmResult, seed: int) -> list[Score]:
    """Return the scores of the training with a seed, the deciding one first.

    Of several trainings only that one is known of each: further metrics are means over all.
    """
    if arm.trainings is not None:
        return [training.score for training in arm.trainings.each if training.seed == seed]
    return [score for score in (arm.score, *arm.also) if score is not None]


def _result(score: Score) -> dict[str, Any]:
    """Return a score as the hub's model index has it, with its interval."""
    found: dict[str, Any] = {
        "type": METRICS.get(score.metric, score.metric),
        "name": score.metric,
        "value": score.value,
    }
    bounds = {"ci_low": score.ci_low, "ci_high": score.ci_high, "n": score.n}
    return found | {"args": {name: value for name, value in bounds.items() if value is not None}}


def _body(
    header: RunHeader, trial: PlannedTrial, arm: ArmResult, model: ModelRef | None
) -> Iterator[str]:
    """Yield the lines below the front matter."""
    task = header.task
    yield from (f"# {_code(trial.arm)} for {_code(str(task['name']))}", "")
    yield f"- asked: {_code(str(task['instruction'])[:LONGEST])}"
    yield f"- base model: {_model(model)}"
    yield f"- strategy: {_code(trial.strategy)}, seed {trial.seed}"
    yield f"- trained on {header.data.train_n:,} rows, validated on {header.data.validation_n:,}"
    yield from ("", f"## Scores on {header.data.test_n:,} test rows", "")
    yield from ("| metric | value | 95% interval |", "|---|---|---|")
    for score in _scores(arm, trial.seed):
        value = numbers.score(score.value)
        yield f"| {_code(score.metric)} | {value} | {_interval(score)} |"
    yield from ("", "If new test rows were drawn again and again, 95% of intervals computed this")
    yield from ("way would contain the true score.", "", "## Parameters", "")
    yield from ("| parameter | value |", "|---|---|")
    yield from (f"| {_code(key)} | {_code(str(value))} |" for key, value in trial.params.items())
    yield from ("", "## Made with", "")
    yield from (f"- {_code(f'{name} {version}')}" for name, version in header.packages.items())


def _model(model: ModelRef | None) -> str:
    """Return what a model is, without where it lies on this machine."""
    if model is None:
        return "none"
    name = model.name if HUB_ID.fullmatch(model.name) else Path(model.name).name
    revision = f", revision {_code(model.revision)}" if model.revision else ""
    licence = f", licence {_code(model.licence)}" if model.licence else ", licence unknown"
    return f"{_code(name)}{revision}{licence}"


def _interval(score: Score) -> str:
    if score.ci_low is None or score.ci_high is None:
        return "unknown"
    return numbers.interval(score.ci_low, score.ci_high)


def _code(text: str) -> str:
    """Return a text as code on one line, in which nothing is Markdown and no cell ends."""
    plain = on_one_line(text).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain or '–'}`"


def _yaml(front: Mapping[str, Any]) -> str:
    """Write front matter with every text in quotes: the hub reads YAML 1.1, where `no` is false."""
    from ruamel.yaml import YAML

    writer = YAML()
    writer.width = 1 << 20
    stream = io.StringIO()
    writer.dump(_quoted(front), stream)
    return stream.getvalue()


def _quoted(value: Any) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        return {key: _quoted(one) for key, one in value.items()}
    return [_quoted(one) for one in value] if isinstance(value, list) else value
