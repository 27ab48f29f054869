"""The same words count the same, whoever gave them: weights here, a server, or a file.

Tokens are scripted and the server is one of this process: what is held is the way from what a
model said to its score, and no model.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hand_made import Arm, rows_of, write_run
from scripted_server import KEY, Script, open_at, reply, serving
from small_world import context

from harness import toolkit
from harness.analysis import analyse
from harness.lm.inference.generation import Written
from harness.lm.local_model import LanguageModel
from harness.types import ModelRef, Query, TaskInfo
from strategies.predictions import Predictions, read

SPECIAL = {1: "</s>", 2: "[THINK]", 3: "[/THINK]", 4: "<pad>"}
NUMBERS = {text: number for number, text in SPECIAL.items()}


class Letters:
    """A tokenizer whose tokens are characters and a few special ones, as fast ones decode them."""

    chat_template = None
    eos_token_id = 1

    def __init__(self):
        self.added_tokens_decoder = {
            number: SimpleNamespace(content=text, special=True) for number, text in SPECIAL.items()
        }

    def __call__(self, text, add_special_tokens=True):
        return SimpleNamespace(input_ids=[9])

    def decode(self, tokens, skip_special_tokens=False, **_):
        kept = [t for t in tokens if not (skip_special_tokens and t in SPECIAL)]
        return "".join(SPECIAL.get(token) or chr(token) for token in kept)


def tokens_of(text):
    """Return a text's tokens: the special ones that it names, and characters."""
    found = []
    while text:
        mark = next((mark for mark in NUMBERS if text.startswith(mark)), text[0])
        found.append(NUMBERS.get(mark) or ord(mark))
        text = text[len(mark) :]
    return found


class Said:
    """A route that says one thing after the other."""

    name, packs, has_encoder = "plain", False, False

    def __init__(self, texts):
        self.texts = texts

    def generate(self, lm, prompts, ending):
        return [Written(tokens_of(text)) for text in self.texts], 0


class Sizeless:
    def get_text_config(self, decoder):
        return SimpleNamespace()


def local(texts, task):
    model = SimpleNamespace(config=Sizeless(), generation_config=None)
    lm = LanguageModel(ModelRef("here", ""), model, Letters(), Said(texts))
    lm._grammars = lambda settings, rows: []
    return toolkit.generate(
        lm, [str(n) for n in range(len(texts))], task.max_new_tokens, task.stop, task.schema
    )


def hosted(texts, task):
    by_prompt = {str(n): [reply(text)] for n, text in enumerate(texts)}
    with serving(Script(by_prompt=by_prompt)) as script:
        return toolkit.answer(open_at(script.url), list(by_prompt), task)


def replayed(texts, task, folder):
    file = folder / "theirs.jsonl"
    lines = (json.dumps({"id": f"r{n}", "text": text}) for n, text in enumerate(texts))
    file.write_text("\n".join(lines))
    arm = Predictions(Predictions.Params(file=str(file)), context())
    arm.lines = read(file)
    return arm.predict([Query(f"r{n}", "") for n in range(len(texts))])


OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
SAID = {
    "choice": [
        ("yes", "yes"),
        ("[THINK]no? It says it is.[/THINK]yes", "yes"),
        ("<think>no, no</think>\n\nyes", "yes"),
        ("Answer: yes", "yes"),
        ("It is not yes", "no"),
        ("", "no"),
    ],
    "text": [
        ("rain", "rain"),
        ("[THINK]sun? no[/THINK]rain", "rain"),
        ("<think>sun</think> rain", "rain"),
        ("It is clear.\nAnswer: rain", "rain"),
        ("\\boxed{rain}", "rain"),
        ("[THINK]sun, and so on", "rain"),
    ],
    "json": [
        ('{"a": 1}', '{"a": 1}'),
        ('[THINK]{"a": 2}?[/THINK]{"a": 1}', '{"a": 1}'),
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('{"a": ', '{"a": 1}'),
        ("", '{"a": 1}'),
    ],
}
TASKS = {
    "choice": ({"metric": "accuracy"}, {"labels": {"yes": "", "no": ""}}),
    "text": ({"metric": "exact_match", "answer": {"kind": "text"}}, {"labels": {}}),
    "json": (
        {"metric": "field_f1", "answer": {"kind": "json", "schema": OBJECT}},
        {"labels": {}, "schema": OBJECT},
    ),
}


@pytest.mark.parametrize("kind", SAID)
def test_the_same_words_get_the_same_score_and_counts_from_every_arm(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    texts, targets = (list(column) for column in zip(*SAID[kind], strict=True))
    task, more = TASKS[kind]
    info = TaskInfo("t", "?", kind, max_new_tokens=99, **more)
    given = {
        "here": local(texts, info),
        "far": hosted(texts, info),
        "file": replayed(texts, info, tmp_path),
    }
    arms = [Arm(name, [found], plan={"answers": (kind,)}) for name, found in given.items()]
    rows = rows_of(analyse(write_run(tmp_path / "run", targets, arms, **task)))
    assert len({row.score.value for row in rows.values()}) == 1
    expected = {"choice": 4 / 6, "text": 5 / 6, "json": 0.75}[kind]  # F1 of 3 of 5 is of all fields
    assert rows["here"].score.value == pytest.approx(expected)
    counts = {row.answers.model_copy(update={"cut": None}) for row in rows.values()}
    assert len(counts) == 1
    assert rows["here"].answers.lost == {"choice": 2, "text": 1, "json": 2}[kind]
