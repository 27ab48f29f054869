"""What is found of prompts before anything runs: turns, labels and inputs that a model cannot see.

Folders hold a tokenizer and a configuration; only where `check` and `run` are asked there are
weights, random ones.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from chat_tokenizer import TEMPLATES, chat_tokenizer
from command_line import harness, rows_of, write_task
from task_folder import rows, task_text, write
from tiny_models import write_model

from harness.errors import ModelError
from harness.run.preflight import Subject
from harness.run.prompts_seen import prompts_seen
from harness.run.refusal import ArmRefusal
from harness.store.finding import Finding
from harness.task import load_task
from harness.types import ModelRef

CONFIG = {"model_type": "llama", "max_position_embeddings": 512}
FEW = {"use": "few_shot", "shots": 2, "select": "random", "template": "turns"}


def findings(folder, tokenizer, arms=("zero_shot",), window=512, test_jsonl=None, **keys):
    """What the examination yields for a model of a tokenizer alone."""
    tokenizer.save_pretrained(folder / "model")
    config = {**CONFIG, "max_position_embeddings": window}
    (folder / "model" / "config.json").write_text(json.dumps(config))
    more = {} if test_jsonl is None else {"test_jsonl": test_jsonl}
    text = task_text(strategies=list(arms), model="./model", **keys)
    task = load_task(write(folder, text, **more))
    ref = ModelRef("./model", str(folder / "model"), chat=task.chat)
    found = prompts_seen(Subject(task, ref, task.arms))
    return [one.sentence if isinstance(one, Finding) else one for one in found]


@pytest.mark.parametrize("name", ["qwen3", "gpt-oss", "mistral-7b-v0.1", "parts-only"])
def test_a_template_that_shows_all_is_passed_without_a_word(tmp_path, name):
    keys = {"system": "Be brief."}
    assert findings(tmp_path, chat_tokenizer(name), ["zero_shot", FEW], **keys) == []


@pytest.mark.parametrize("name", ["damaged", "turns-twice", "parts-as-code"])
def test_a_model_that_would_not_see_its_input_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match=r"model './model': its chat template .* → use a model"):
        findings(tmp_path, chat_tokenizer(name))


@pytest.mark.parametrize("name", ["last-turn-only", "user-turns-only", "two-turns-refused"])
def test_an_arm_whose_demonstrations_are_dropped_is_refused_and_others_are_not(tmp_path, name):
    tokenizer = chat_tokenizer(name)
    cascade = {"use": "cascade", "cheap": "majority", "dear": FEW}
    few_none = {"use": "zero_shot", "name": "none"}
    found = findings(tmp_path, tokenizer, ["zero_shot", FEW, cascade, few_none])
    assert [refusal.arm for refusal in found] == ["few_shot", "cascade"]
    assert all(isinstance(refusal, ArmRefusal) for refusal in found)
    assert "→ leave few_shot out, or use a model whose chat template shows" in found[0].why


@pytest.mark.parametrize("name", ["last-turn-only", "user-turns-only", "two-turns-refused"])
def test_by_default_they_are_written_as_running_text_there(tmp_path, name):
    assert findings(tmp_path, chat_tokenizer(name), [{**FEW, "template": None}]) == []


def test_template_variables_that_nothing_reads_are_refused(tmp_path):
    asked = {"chat_template_kwargs": {"enable_thinking": True, "tone": "dry"}}
    with pytest.raises(
        ModelError, match=r"does not read enable_thinking and tone .* → remove them"
    ):
        findings(tmp_path, chat_tokenizer("phi-4-mini"), **asked)
    with pytest.raises(
        ModelError, match=r"does not read tone \(chat_template_kwargs\) → remove it"
    ):
        findings(tmp_path, chat_tokenizer("qwen3"), **asked)
    thoughts = {"chat_template_kwargs": {"enable_thinking": True}}
    assert findings(tmp_path, chat_tokenizer("qwen3"), **thoughts) == []
    assert findings(tmp_path, chat_tokenizer("deepseek-r1-distill"), **thoughts) == []


def test_with_several_models_what_one_does_not_read_is_said(tmp_path):
    write_model(tmp_path / "other", "llama-tied", chat=True)
    arms = ["zero_shot", {"use": "zero_shot", "name": "other", "model": "./other"}]
    asked = {"chat_template_kwargs": {"enable_thinking": True}}
    (said,) = findings(tmp_path, chat_tokenizer("phi-4-mini"), arms, **asked)
    assert "does not read enable_thinking (chat_template_kwargs), so nothing changes there" in said


def word_tokenizer(special):
    """One that knows a few words, and takes all others for one."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel({"<unk>": 0, "yes": 1, "no": 2, "</s>": 3}, "<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    more = {"unk_token": "<unk>"} if special else {}
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", **more)


@pytest.mark.parametrize("labels", [["yes", "ναι", "όχι"], ["yes", "no ναι", "no όχι"]])
def test_labels_that_are_the_same_tokens_are_refused_by_name(tmp_path, labels):
    keys = {"answer": {"kind": "choice", "labels": ["a", "b", *labels]}}
    with pytest.raises(ModelError) as told:
        findings(tmp_path, word_tokenizer(special=False), **keys)
    assert repr(labels[-2]) in str(told.value)
    assert repr(labels[-1]) in str(told.value)
    assert "are the same tokens for it → rename them" in str(told.value)


def test_a_label_of_unknown_tokens_alone_is_refused(tmp_path):
    keys = {"answer": {"kind": "choice", "labels": ["a", "b"]}}
    with pytest.raises(ModelError, match=r"label 'a' has no tokens for './model' → rename"):
        findings(tmp_path, word_tokenizer(special=True), **keys)


def test_labels_of_a_text_task_are_nobodys_concern(tmp_path):
    keys = {"answer": {"kind": "text"}, "metric": "exact_match"}
    assert findings(tmp_path, word_tokenizer(special=True), **keys) == []


def long_rows(*lengths):
    return [{**row, "text": "x" * n} for row, n in zip(rows("test", 6), lengths, strict=False)]


def test_a_context_too_short_for_every_input_is_refused_with_the_figures(tmp_path):
    with pytest.raises(ModelError) as told:
        findings(tmp_path, chat_tokenizer("phi-4-mini"), window=8)
    assert str(told.value) == (
        "model './model': none of the 6 test inputs fits its 8 tokens: the shortest needs 14 beside"
        " the 2 of its answer, without any instruction → shorten the inputs, or name a model with a"
        " longer context"
    )


def test_inputs_that_do_not_fit_are_counted(tmp_path):
    tests = long_rows(5, 60, 70, 5)
    (said,) = findings(tmp_path, chat_tokenizer("phi-4-mini"), window=40, test_jsonl=tests)
    assert said.startswith(
        "'./model': 2 of 4 test inputs do not fit its 40 tokens (the longest needs 73 beside the 2"
        " of its answer) and will fail → shorten the inputs"
    )
    keys = {
        "answer": {"kind": "text"},
        "metric": "exact_match",
        "generation": {"max_new_tokens": 30},
    }
    (said,) = findings(tmp_path, chat_tokenizer("phi-4-mini"), window=42, test_jsonl=tests, **keys)
    assert said.startswith("'./model': 2 of 4 test inputs do not fit its 42 tokens")
    assert "→ lower generation.max_new_tokens, shorten" in said


def test_a_hosted_model_is_its_servers_concern(tmp_path):
    hosted = {"provider": "openai", "base_url": "http://x/v1", "model": "m", "key_env": None}
    keys = {"model": hosted, "chat_template_kwargs": {"tone": "dry"}}
    task = load_task(write(tmp_path, task_text(strategies=["zero_shot"], **keys)))
    from harness.task.model_spec import hosted_ref

    ref = replace(hosted_ref(task.arms[0].model), chat=task.chat)
    assert list(prompts_seen(Subject(task, ref, task.arms))) == []


def test_check_and_run_refuse_the_arm_and_run_the_others(tmp_path):
    """A process each: exit codes and rows are the contract, and plan must not stumble either."""
    path = write_task(tmp_path, ["majority", "zero_shot", FEW], model="./model")
    write_model(tmp_path / "model", "llama-tied", chat=True)
    template = (TEMPLATES / "last-turn-only.jinja").read_text()
    (tmp_path / "model" / "chat_template.jinja").write_text(template)
    told = harness("check", path)
    assert told.returncode == 2
    assert "error: few_shot shows examples as earlier turns" in told.stderr
    assert "does not show the user's first turn and the assistant's turn" in told.stderr
    told = harness("run", path, "--out", tmp_path / "run")
    assert told.returncode == 0, told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    states = {name: row["status"] for name, row in rows_of(tmp_path / "run").items()}
    assert states == {"majority": "ok", "zero_shot": "ok", "few_shot": "failed"}
