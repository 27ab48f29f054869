"""The main job on the real model and real data, small: every arm, both reports, a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from harness.store.predictions_file import read_predictions

TRIAGE = Path(__file__).parent.parent / "tasks" / "ticket_triage"
BANKING = Path(__file__).parent.parent.parent / "shared" / "data" / "banking77"
ARMS = ["majority", "tfidf", "zero_shot", "few_shot", "lora"]
pytestmark = pytest.mark.model


def harness(*words, stdin=None):
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The shipped task with a short training: a run of all five arms on 4 messages."""
    folder = tmp_path_factory.mktemp("triage")
    shutil.copytree(TRIAGE, folder / "task")
    shutil.copy(TRIAGE.parent / "prices.yaml", folder)
    yaml = YAML()
    spec = yaml.load((folder / "task" / "task.yaml").read_text())
    few_shot = {"use": "few_shot", "shots": 4}
    lora = {"use": "lora", "epochs": 1, "evaluations_per_epoch": 1}
    spec["strategies"] = [*ARMS[:3], few_shot, lora]
    spec["seeds"] = [0]  # tests/run/test_seeds.py has several
    spec["facts"] = {
        "forgetting": False,
        "robustness": False,
    }  # tests/run/test_diagnostics.py has them
    with (folder / "task" / "task.yaml").open("w") as stream:
        yaml.dump(spec, stream)
    for name, count in (("train", 16), ("validation", 4)):
        path = folder / "task" / "data" / f"{name}.jsonl"
        path.write_text("\n".join(path.read_text().splitlines()[:count]) + "\n")
    words = ("run", folder / "task" / "task.yaml", "--out", folder / "run", "--limit", "4")
    done = harness(*words)
    assert done.returncode == 0, done.stderr
    return folder / "run", done


def test_every_arm_ends_ok_with_every_figure(run):
    folder, _ = run
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    assert [row["strategy"] for row in rows] == ARMS
    for row in rows:
        assert (row["status"], row["error"], row["failed_items"]) == ("ok", None, 0)
        assert row["score"]["n"] == 4
        assert row["score"]["ci_low"] <= row["score"]["value"] <= row["score"]["ci_high"]
        for key in ("p50_s", "p95_s", "p50_cold_s", "throughput_per_s", "predict_peak_bytes"):
            assert row[key] > 0, (row["strategy"], key)
    by_name = {row["strategy"]: row for row in rows}
    assert by_name["majority"]["predict_peak_bytes"] < 80 * 2**20
    assert by_name["zero_shot"]["predict_peak_bytes"] > 269 * 10**6  # its weights in 16 bits
    assert by_name["zero_shot"]["p50_cold_s"] > 2 * by_name["zero_shot"]["p50_s"]  # prefix kept
    assert by_name["few_shot"]["prompt_tokens_mean"] > by_name["zero_shot"]["prompt_tokens_mean"]
    assert by_name["lora"]["prompt_tokens_mean"] < by_name["zero_shot"]["prompt_tokens_mean"]
    assert "smollm2" in by_name["lora"]["models"][0]


def test_what_lora_learnt_step_by_step_is_on_record(run):
    folder, _ = run
    (log,) = folder.glob("trials/lora/*/train_log.jsonl")
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert [step["step"] for step in steps] == [1]  # 16 rows are one batch
    assert all(step["train_loss"] > 0 for step in steps)
    assert steps[-1]["validation_loss"] > 0


def test_prompts_share_one_instruction_and_lora_sees_the_input_alone(run):
    folder, _ = run
    prompts = {}
    for path in folder.glob("trials/*/*/*/predictions.jsonl"):
        prompts[path.parts[-4]] = next(iter(read_predictions(path).values())).prompt
    zero_shot, few_shot = prompts["zero_shot"].text, prompts["few_shot"].text
    instruction = zero_shot.split("\n\nInput:")[0]
    assert instruction.count("\n- ") == 12
    assert few_shot.startswith(instruction)
    assert few_shot.count("\nAnswer:") == 5
    assert zero_shot.endswith(f"Input: {prompts['lora']}\nAnswer:")


def test_run_again_reuses_everything(run):
    folder, _ = run
    before = (folder / "records.jsonl").read_text().splitlines()
    task = folder.parent / "task" / "task.yaml"
    done = harness("run", task, "--out", folder, "--limit", "4")
    assert done.stdout.count("nothing it depends on has changed") == len(ARMS)
    after = (folder / "records.jsonl").read_text().splitlines()
    assert len(after) == len(before) + 1  # the header of the second invocation alone


def test_predict_answers_a_new_message_with_the_tuned_arm(run):
    folder, _ = run
    message = "my bike was stolen last night, what do you need from me?\n"
    done = harness("predict", folder, "--arm", "lora", "--json", stdin=message)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["text"] in answer["label_logprobs"]
    assert len(answer["label_logprobs"]) == 12


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_report_is_drawn_by_a_real_browser(run, tmp_path):
    folder, _ = run
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
    command += ["--no-first-run", "--disable-background-networking", "--disable-sync"]
    command += ["--disable-component-update", f"--user-data-dir={tmp_path}", "--dump-dom"]
    page = (folder / "report.html").resolve().as_uri()
    done = subprocess.run([*command, page], capture_output=True, text=True, check=True, timeout=120)
    headline = json.loads((folder / "comparison.json").read_text())["recommendation"]["headline"]
    assert f"<h1>{headline}</h1>" in done.stdout
    statuses = "chosen|provisional|tied|within the margin|undecided|significantly worse"
    arms_section = done.stdout.partition('<section id="arms"')[2]
    table = arms_section.partition("</table>")[0]
    arms = re.findall(rf"<t[hd][^>]*>([a-z_]+).*?</t[hd]>\s*<td[^>]*>(?:{statuses})</td>", table)
    assert sorted(arms) == sorted(ARMS)


def test_free_text_answers_are_generated_and_matched(tmp_path):
    rows = [
        {"input": "What is the capital of France? One word.", "target": ["Paris", "paris."]},
        {"input": "What is the capital of Italy? One word.", "target": "Rome"},
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task.yaml").write_text(
        "name: capitals\ninstruction: Answer the question.\nanswer: {kind: text}\n"
        "data: {test: test.jsonl}\nmetric: exact_match\nstrategies: [zero_shot]\n"
        "generation: {max_new_tokens: 12}\n"
    )
    done = harness("run", tmp_path / "task.yaml", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "run" / "comparison.json").read_text())["rows"]
    assert row["status"] == "ok"
    (path,) = tmp_path.glob("run/trials/*/*/*/predictions.jsonl")
    answers = [json.loads(line) for line in path.read_text().splitlines()]
    assert "Paris" in answers[0]["text"]
    assert all(0 < answer["output_tokens"] <= 12 for answer in answers)


@pytest.mark.skipif(
    not BANKING.is_dir(), reason="the public set banking77 is not beside the project"
)
def test_banking77_runs_and_its_repeated_inputs_are_a_finding(tmp_path):
    (tmp_path / "task.yaml").write_text(
        "name: banking77\ninstruction: Which banking intent does the message have?\n"
        f"answer: {{kind: choice, labels: {os.path.relpath(BANKING, tmp_path)}/labels.json}}\n"
        f"data: {{train: {BANKING}/train.jsonl, test: {BANKING}/test.jsonl, target: label}}\n"
        "metric: accuracy\nmargin: 0.02\n"
        "strategies:\n- majority\n"
        "- {use: tfidf, inverse_regularisation: [10], character_ngrams: false}\n"
    )
    done = harness("run", tmp_path / "task.yaml", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "25 of 3080 test inputs also stand in train" in done.stdout
    comparison = json.loads((tmp_path / "run" / "comparison.json").read_text())
    by_name = {row["strategy"]: row for row in comparison["rows"]}
    # 13 of 1000: the majority class's share, as measured on this set by others too.
    assert by_name["majority"]["score"]["value"] == pytest.approx(40 / 3080)
    assert 0.8 < by_name["tfidf"]["score"]["value"] < 0.95
    assert by_name["tfidf"]["without_leaks"]["n"] == 3055
    assert comparison["recommendation"]["choice"] == "tfidf"
