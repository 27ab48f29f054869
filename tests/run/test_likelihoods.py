"""The third process: how likely an arm finds the right answers, told after its own are closed."""

from __future__ import annotations

import json
import shutil
from math import exp, log

import pytest
from tiny_models import write_model

from harness import lm
from harness.analysis import analyse
from harness.errors import TaskError
from harness.store.predictions_file import read_predictions
from harness.task import load_task
from harness.types import ModelRef


@pytest.fixture(scope="module")
def ran(tiny, run_tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("likelihoods")
    write_model(folder / "model", "llama-tied", chat=True)
    also = ["bits_per_byte", "perplexity"]
    path = tiny(folder, "", ["majority", "zero_shot", "few_shot"], model="./model", also=also)
    return run_tiny(path, folder / "run"), folder / "model", load_task(path)


@pytest.mark.parametrize("arm", ["zero_shot", "few_shot"])
def test_the_figures_are_those_of_a_plain_pass(ran, arm):
    import torch

    (folder, records), location, task = ran
    record = records[arm]
    trial = folder.trial_folder(arm, record.fit_id, record.trial_id)
    answers = read_predictions(trial / "predictions.jsonl")
    prompts = {row_id: answer.prompt for row_id, answer in answers.items()}
    model = lm.load(ModelRef("model", str(location)), "cpu", "float32")
    total, sizes = 0.0, 0
    for example in task.test:
        prompt = prompts[example.query.id]
        answer = lm.answer_tokens(model, example.targets[0], prompt, ended=False)
        prompt = lm.prompt_tokens(model, prompt)
        with torch.inference_mode():
            logits = model.model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        for place, token in enumerate(answer, start=len(prompt) - 1):
            total += float(logits[place, token])
        sizes += len(example.targets[0].encode())
    rows = {row.strategy: row for row in analyse(folder).arms}
    found = {score.metric: score for score in rows[arm].also}
    assert found["bits_per_byte"].value == pytest.approx(-total / log(2) / sizes, abs=1e-3)
    # Each answer is one word of one letter: as many words as bytes.
    assert found["perplexity"].value == pytest.approx(exp(-total / sizes), rel=1e-3)
    assert found["bits_per_byte"].ci_low <= found["bits_per_byte"].value


def test_an_arm_without_likelihoods_says_so_and_keeps_its_score(ran):
    (folder, records), *_ = ran
    rows = {row.strategy: row for row in analyse(folder).arms}
    for score in rows["majority"].also:
        assert (score.value, score.undefined) == (None, "its answers name no prompts")
    assert rows["majority"].status == "ok"
    assert records["majority"].likelihood.status == "skipped"


def test_it_is_a_process_of_its_own_with_its_own_figures(ran):
    (_, records), *_ = ran
    phases = [m.phase for m in records["zero_shot"].likelihood.measurements]
    assert phases == ["start", "load", "log_likelihood"]


def test_a_metric_where_less_is_better_does_not_decide(tiny, tmp_path):
    with pytest.raises(TaskError, match="it cannot decide → name it under `also`"):
        load_task(tiny(tmp_path, "", ["zero_shot"], metric="perplexity"))


def test_a_corrected_target_asks_again(tiny, run_tiny, tmp_path):
    write_model(tmp_path / "model", "llama-tied", chat=True)
    path = tiny(tmp_path, "", ["zero_shot"], model="./model", also=["bits_per_byte"])
    folder, before = run_tiny(path, tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "test.jsonl").read_text().splitlines()]
    rows[0]["label"] = "b"
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    folder, after = run_tiny(path, tmp_path / "run")
    assert after["zero_shot"].trial_id == before["zero_shot"].trial_id
    assert after["zero_shot"].finished_at >= before["zero_shot"].finished_at
    (likelihoods,) = folder.path.glob("trials/*/*/*/likelihood/likelihoods.jsonl")
    assert len(likelihoods.read_text().splitlines()) == len(rows)
    assert analyse(folder).arms[0].also[0].value is not None


def test_what_is_gone_is_asked_again_and_nothing_else(ran, run_tiny, tmp_path):
    (folder, before), location, _ = ran
    copy = shutil.copytree(folder.path, tmp_path / "run")
    likelihoods = sorted(copy.glob("trials/*/*/*/likelihood/likelihoods.jsonl"))
    assert len(likelihoods) == 2
    said = likelihoods[0].read_text()
    likelihoods[0].unlink()
    _, after = run_tiny(location.parent / "task.yaml", copy)
    assert likelihoods[0].read_text() == said
    for arm in ("zero_shot", "few_shot"):
        assert after[arm].serve == before[arm].serve
        assert after[arm].likelihood.status == "ok"
