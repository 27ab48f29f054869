"""What training changed: measured after the answers, never instead of them."""

from __future__ import annotations

import json
import shutil

import pytest
from progress import Impatient
from tiny_models import write_model

from harness import lm
from harness.analysis import analyse
from harness.probes import general_knowledge as probe
from harness.run.folder_lock import opened
from harness.run.runner import Runner
from harness.store.run_folder import read_jsonl
from harness.task import load_task
from harness.types import ModelRef
from reports import html
from reports import whole_markdown as markdown

LORA = {"use": "lora", "rank": 2, "epochs": 2, "learning_rate": 0.03, "prompt": "full"}
ODD = """
from harness import Prediction, Strategy

class Odd(Strategy):
    needs_model = True
    learns = "weights"

    def predict(self, queries):
        if any(query.text.isupper() for query in queries):
            raise SystemExit("capitals")
        return [Prediction("a") for _ in queries]
"""
OFF = {"forgetting": False, "robustness": False}


@pytest.fixture(scope="module")
def runs(tiny, run_tiny, tmp_path_factory):
    """A run without diagnostics, and the same folder run again with them."""
    folder = tmp_path_factory.mktemp("diagnostics")
    write_model(folder / "model", "llama-tied", chat=True)
    arms = ["majority", "tfidf", LORA, {"use": "own.py:Odd"}]
    path = tiny(folder, ODD, arms, model="./model", diagnostics=OFF)
    run_tiny(path, folder / "run")
    before = {
        str(file.relative_to(folder / "run")): file.read_bytes()
        for file in (folder / "run").rglob("*")
        if file.is_file()
    }
    task = json.loads(path.read_text())
    path.write_text(json.dumps(task | {"diagnostics": {}}))
    run, records = run_tiny(path, folder / "run")
    return folder, run, records, before


def test_turned_on_later_nothing_is_fitted_or_answered_again(runs):
    _, run, records, before = runs
    lines = run.records.read_text().splitlines()
    earlier = before["records.jsonl"].decode().splitlines()
    assert lines[: len(earlier)] == earlier
    kinds = [(line["kind"], line.get("arm")) for line in map(json.loads, lines[len(earlier) :])]
    assert kinds == [("header", None), ("trial", "tfidf"), ("trial", "lora"), ("trial", "odd")]
    old = {line["arm"]: line for line in map(json.loads, earlier) if line["kind"] == "trial"}
    both = {"probe", "robustness"}  # no figure of fitting or serving
    for arm, measured in (("tfidf", {"robustness"}), ("lora", both), ("odd", both)):
        now = json.loads(records[arm].model_dump_json())
        assert {key for key in now if now[key] != old[arm][key]} == measured
    for name, content in before.items():
        if name.startswith("trials/"):
            assert (run.path / name).read_bytes() == content


def test_each_is_a_process_of_its_own_after_the_answers(runs):
    _, _, records, _ = runs
    record = records["lora"]
    probed, perturbed = record.probe, record.robustness
    assert [m.phase for m in probed.measurements] == ["start", "load", "log_likelihood"]
    # Once under the labels' order, and once with the list of options reversed.
    twice = ["start", "load", "predict", "load", "predict"]
    assert [m.phase for m in perturbed.measurements] == twice
    assert records["majority"].probe is records["majority"].robustness is None


def test_the_probe_gives_the_figures_of_a_plain_pass(runs):
    """The untuned model, scored by hand, against what the analysis says of before."""
    from math import log

    import torch

    folder, run, *_ = runs
    model = lm.load(ModelRef("model", str(folder / "model")), "cpu", "float32")
    total, size = 0.0, 0
    for item in probe.items()[:63]:
        prompt = lm.prompt_tokens(model, item["prompt"])
        answer = lm.answer_tokens(model, item["completions"][0])[:-1]
        with torch.inference_mode():
            logits = model.model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        total += float(logits[range(len(prompt) - 1, len(logits) - 1), answer].sum())
        size += len(item["completions"][0].encode())
    [row] = [row for row in analyse(run).arms if row.strategy == "lora"]
    found = row.diagnostics.forgetting
    assert found.undefined is None
    assert found.bits_per_byte.before == pytest.approx(-total / log(2) / size, abs=1e-3)
    assert found.bits_per_byte.n == 63
    assert found.bits_per_byte.after != found.bits_per_byte.before
    assert found.bits_per_byte.ci_low <= found.bits_per_byte.change <= found.bits_per_byte.ci_high
    assert found.choice_accuracy.n == 60


def test_perturbed_answers_are_scored_on_the_same_rows(runs):
    _, run, records, _ = runs
    [row] = [row for row in analyse(run).arms if row.strategy == "lora"]
    found = {perturbation.name: perturbation for perturbation in row.diagnostics.robustness}
    assert set(found) == {"typos", "lower case", "upper case", "noise", "reordered options"}
    assert found["lower case"].undefined == "changes none of these texts"
    for name in ("upper case", "noise", "reordered options"):
        assert (found[name].changed, found[name].score.n) == (8, 8)
        assert found[name].score.before == row.score.value
    record = records["lora"]
    trial = run.trial_folder("lora", record.fit_id, record.trial_id)
    rows = read_jsonl(trial / "robustness" / "answers.jsonl")
    shown = {row["perturbation"]: row["prompt"] for row in rows}
    assert shown["noise"].index("- a: first") < shown["noise"].index("- b: second")
    reordered = shown["reordered options"]
    assert reordered.index("- b: second") < reordered.index("- a: first")
    assert "TEST TEXT" in shown["upper case"]


def test_a_probe_that_cannot_be_done_is_a_reason_and_no_failed_arm(runs):
    _, run, records, _ = runs
    [row] = [row for row in analyse(run).arms if row.strategy == "odd"]
    assert (row.status, row.error, row.score.n) == ("ok", None, 8)
    assert row.diagnostics.forgetting.undefined == "gives no likelihoods"
    assert records["odd"].robustness.status == "failed"
    assert "capitals" in row.diagnostics.robustness_undefined
    assert row.diagnostics.robustness == ()


def test_run_again_it_measures_again_only_what_failed(runs, run_tiny, tmp_path):
    folder, run, records, _ = runs
    copy = shutil.copytree(run.path, tmp_path / "run")
    written = {file: file.stat().st_mtime_ns for file in copy.rglob("measured.json")}
    assert len(written) == 5  # the untuned model, lora twice, tfidf and odd once
    _, again = run_tiny(folder / "task.yaml", copy)
    anew = [file for file, at in written.items() if file.stat().st_mtime_ns != at]
    assert [file.parts[-5] for file in anew] == ["odd"]
    assert again == records
    # It failed in the same way: no second line says so.
    lines = (copy / "records.jsonl").read_text().splitlines()
    new = lines[len(run.records.read_text().splitlines()) :]
    assert [json.loads(line)["kind"] for line in new] == ["header"]


def test_both_reports_tell_it(runs):
    _, run, *_ = runs
    comparison = analyse(run)
    for text in (markdown(comparison), html(comparison)):
        assert "What training changed, robustness and calibration" in text
        assert "general text, bits per byte (lower is better, 63 passages)" in text
        assert "gives no likelihoods" in text
        assert "reordered options, accuracy (8 of 8 rows changed)" in text


def test_without_its_files_the_report_says_so_and_the_score_stands(runs, tmp_path):
    _, run, *_ = runs
    copy = shutil.copytree(run.path, tmp_path / "run")
    shutil.rmtree(copy / "untuned")
    for file in copy.rglob("robustness/answers.jsonl"):
        file.unlink()
    [row] = [row for row in analyse(type(run)(copy)).arms if row.strategy == "lora"]
    assert "not in the run folder" in row.diagnostics.forgetting.undefined
    assert row.score.value is not None


def test_an_interrupted_probe_loses_no_trial_and_fresh_forgets_all(tiny, run_tiny, tmp_path):
    write_model(tmp_path / "model", "llama-tied", chat=True)
    path = tiny(tmp_path, ODD, [{"use": "own.py:Odd"}], model="./model")
    with (
        opened(tmp_path / "run", "tiny", fresh=False) as folder,
        pytest.raises(KeyboardInterrupt),
    ):
        Runner(load_task(path), folder, Impatient("diagnostics")).run()
    [before] = folder.trials().values()
    assert (before.status, before.probe, before.robustness) == ("ok", None, None)
    _, records = run_tiny(path, tmp_path / "run")
    assert records["odd"].serve == before.serve
    assert records["odd"].robustness.status == "failed"
    (folder.path / "untuned").mkdir(exist_ok=True)
    with opened(folder.path, "tiny", fresh=True):
        assert {file.name for file in folder.path.iterdir()} == {".lock"}
