"""What a task adds to every prompt reaches its models, on the same day as at first.

Runs a model of random weights in this process: what a worker renders shows in what it loaded.
"""

from __future__ import annotations

import datetime

import pytest
from tiny_models import write_model

from harness.run import environment
from harness.store.predictions_file import read_predictions

TEMPLATE = (
    "{{ '<|user|>Today is ' + strftime_now('%d.%m.%Y') + '.<|end|>' }}"
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{{ 'Dated ' + strftime_now('%d.%m.%Y') + '\n' }}"
    "<think>\n{% endif %}"
)


def on(day):
    class Day(datetime.date):
        @classmethod
        def today(cls):
            return cls.fromisoformat(day)

    return Day


@pytest.fixture
def folder(tmp_path):
    write_model(tmp_path / "model", "llama-tied", chat=True)
    (tmp_path / "model" / "chat_template.jinja").write_text(TEMPLATE)
    return tmp_path


def opening(record):
    return record.serve.loaded_models[0].opening


def test_a_later_run_in_the_same_folder_prints_the_date_of_the_first(
    tiny, run_tiny, folder, monkeypatch
):
    monkeypatch.setattr(environment, "date", on("2026-03-01"))
    path = tiny(folder, "", ["zero_shot"], model="./model")
    out, first = run_tiny(path, folder / "run")
    monkeypatch.setattr(environment, "date", on("2026-03-02"))
    few = {"use": "few_shot", "shots": 2}
    out, both = run_tiny(tiny(folder, "", ["zero_shot", few], model="./model"), folder / "run")
    assert [header.prompt_date for header in out.headers()] == ["2026-03-01"] * 2
    assert both["zero_shot"] == first["zero_shot"]  # it was not run again
    for record in both.values():
        assert opening(record) == "<|end|><|assistant|>Dated 01.03.2026\n<think>\n\n</think>\n\n"
        notes = {note.text for note in record.serve.notes if note.kind == "prompt"}
        assert notes == {
            "answers without its thoughts: these stand closed before every answer",
            "its chat template prints a date: 2026-03-01 in every prompt",
        }
    out, elsewhere = run_tiny(path, folder / "other")
    assert "Dated 02.03.2026" in opening(elsewhere["zero_shot"])
    assert elsewhere["zero_shot"].trial_id == first["zero_shot"].trial_id


def test_a_system_turn_and_a_thought_reach_the_model_and_make_another_trial(tiny, run_tiny, folder):
    keys = {
        "model": "./model",
        "answer": {"kind": "text"},
        "metric": "exact_match",
        "generation": {"max_new_tokens": 5, "stop": ["\n"]},
    }
    _, plain = run_tiny(tiny(folder, "", ["zero_shot"], **keys), folder / "run")
    asked = {"system": "Be brief.", "chat_template_kwargs": {"enable_thinking": True}}
    path = tiny(folder, "", ["zero_shot"], **keys, **asked)
    out, told = run_tiny(path, folder / "run")
    assert told["zero_shot"].fit_id != plain["zero_shot"].fit_id
    for record in (plain["zero_shot"], told["zero_shot"]):
        trial = out.trial_folder(record.arm, record.fit_id, record.trial_id)
        answers = read_predictions(trial / "predictions.jsonl").values()
        # The prompt opened the thought: what was cut in it is no answer, and stops at no newline.
        thinking = record is told["zero_shot"]
        assert all(answer.text.startswith("<think>") is thinking for answer in answers)
        lengths = {answer.prompt_tokens for answer in answers}
        assert min(lengths) > (60 if thinking else 30)
    [reference] = out.last_header().models.values()
    assert reference.chat.system == "Be brief."
    assert reference.chat.asks_thoughts


def test_a_tuned_arm_is_asked_as_it_was_tuned(tiny, run_tiny, folder):
    keys = {"model": "./model", "chat_template_kwargs": {"enable_thinking": True}}
    lora = {"use": "lora", "epochs": 1, "rank": 2}
    _, records = run_tiny(tiny(folder, "", [lora], **keys), folder / "run")
    for half in (records["lora"].fit, records["lora"].serve):
        notes = [note.text for note in half.notes if note.kind == "prompt"]
        assert notes[0] == "tuned on answers without thoughts, and asked for such"
        assert half.loaded_models[0].opening.endswith("<think>\n\n</think>\n\n")
