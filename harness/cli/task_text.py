"""The text of a new task file: what is given, and every other key as a comment with its meaning.

The meanings are those that stand below the fields in the schema's source. The first line names the
JSON schema beside the file, by which editors complete keys and mark faults.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cli.key_docs import docs_of
from harness.task.schema import Answer, Data, TaskFile
from harness.task.spec import Spec
from harness.task.split_spec import SplitSpec

SCHEMA = "task.schema.json"
"""The file beside a new task file that holds its JSON schema."""
FIRST_LINE = f"# yaml-language-server: $schema={SCHEMA}"
PARTS: Mapping[str, type[Spec]] = {"answer": Answer, "data": Data, "split": SplitSpec}
"""Keys that are written over several lines, with the parts that they hold."""
EXAMPLES: Mapping[str, str] = {
    "also": "[accuracy]",
    "model": "{provider: openai, base_url: 'http://localhost:8000/v1', model: NAME, key_env: null,"
    " concurrency: 8, timeout_s: 60, max_retries: 5, extra: {}, usd_per_million_input_tokens: 1,"
    " usd_per_million_output_tokens: 2, usd_per_million_cached_tokens: 0.5, licence: mit}",
    "system": "You answer customers of a bicycle shop.",
    "chat_template_kwargs": "{enable_thinking: false}",
    "dtype": "auto",
    "seeds": "[0, 1, 2, 3, 4]",
    "effort": "{trials: 12, minutes: 20, usd: 2}",
    "curve": "{sizes: [10, 20, all], repeats: 3, arms: [ARM], seed: 0}",
    "noise": "0.1",
    "augment": "{factor: 2, kinds: [typo, paraphrase], paraphrases: paraphrases.jsonl}",
    "generation": "{max_new_tokens: 64, stop: [END]}",
    "limits": "{min_score: 0.8, max_p95_ms: 500, max_serve_memory_gib: 4, max_fit_memory_gib: 8,"
    " max_usd_per_1k: 0.5}",
    "needs": "{knowledge_updates_per_month: 0, model_changes_per_year: 1, per_user_data: false,"
    " citations: false, offline: true, licence: [apache-2.0, mit]}",
    "traffic": "{requests_per_month: 20000, months: 12, serving: reserved, utilisation: 0.3}",
    "labour": "{usd_per_label: 0.1, usd_per_hour: 60, hours: {ARM: 8}}",
    "prices": "prices.yaml",
    "run": "{timeout_min: 60, memory_gib: 8, parallel: auto, on: ray, measure_on: bench,"
    " shared_folder: /mnt/runs}",
    "diagnostics": "{forgetting: true, robustness: true, calibration: true, overfitting: true,"
    " worst_slice: true, floors: true}",
    "track": "[tensorboard]",
    "report": "{examples: 12}",
    "answer.labels": "[a, b]",
    "answer.schema": "schema.json",
    "answer.no_answer": "not in the handbook",
    "data.train": "data/train.jsonl",
    "data.validation": "data/validation.jsonl",
    "data.test": "data/test.jsonl",
    "data.all": "data/rows.jsonl",
    "data.read": "{delimiter: ';', encoding: utf-8, header: true, rows: items, sheet: 1}",
    "data.id": "id",
    "data.visible": "[COLUMN]",
    "data.slices": "[COLUMN]",
    "data.cluster": "COLUMN",
    "data.evidence": "COLUMN",
    "data.corpus": "{file: documents.jsonl, id: id, title: title, text: text, allow: allow}",
    "data.groups": "COLUMN",
    "split.test": "0.3",
    "split.validation": "0.1",
    "split.seed": "0",
    "split.column": "COLUMN",
    "split.values": "{train: [a], validation: [b], test: [c], left_out: [d]}",
    "split.time": "COLUMN",
    "split.frozen": "splits.json",
}
"""What each key may look like, by its name; of a part `part.key`."""
WIDTH = 100
NO_TEXT = ("null", "true", "false", "yes", "no", "on", "off")
"""Words that some readers of YAML take for no text."""


def task_text(name: str, given: Mapping[str, Any], strategies: Sequence[str]) -> str:
    """Return a task file.

    Args:
        name: the task's, and its folder's.
        given: the values of keys, `answer`, `data` and `split` as mappings.
        strategies: lines below the key `strategies`, comments among them.
    """
    arm = next((line[2:] for line in strategies if line.startswith("- ")), "ARM")
    lines = [FIRST_LINE, f"# Check this file: python -m harness check {name}/task.yaml"]
    for key, value in given.items():
        if key in PARTS and isinstance(value, Mapping):
            lines += [f"{key}:", *_part(key, value)]
        else:
            lines.append(f"{key}: {said(value)}")
    lines += ["strategies:", *(f"  {line}" for line in strategies), ""]
    lines += ["# What else there is; take away the mark # and the blank after it to use a key."]
    docs = docs_of(TaskFile)
    for key in EXAMPLES:
        if "." not in key and key not in given:
            lines += _comment(docs[key], "# ")
            lines.append(f"# {key}: {EXAMPLES[key].replace('ARM', arm)}")
    if "split" not in given:
        lines += ["# split:", *(f"# {line}" for line in _part("split", {}))]
    return "\n".join(lines) + "\n"


def said(value: Any) -> str:
    """Return a value as YAML: JSON's texts and lists are YAML's too; plain words need no quotes."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w ./'-]*[\w?!.]", value)
    return (
        value if plain and value.lower() not in NO_TEXT else json.dumps(value, ensure_ascii=False)
    )


def _part(part: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines below a key: what is given, then what else there is, as comments."""
    for key, value in given.items():
        yield f"  {key}: {said(value)}"
    docs = docs_of(PARTS[part])
    for name, field in PARTS[part].model_fields.items():
        key = field.alias or name
        if key not in given and f"{part}.{key}" in EXAMPLES:
            yield from _comment(docs[name], "  # ")
            yield f"  # {key}: {EXAMPLES[f'{part}.{key}']}"


def _comment(text: str, mark: str) -> list[str]:
    """Return the first sentence of a text as a comment, marked so that it is no key."""
    sentence = re.split(r"(?<=[a-z)`])\. (?=[A-Z`])", text)[0].rstrip(".")
    return textwrap.wrap(sentence, WIDTH, initial_indent=f"{mark}- ", subsequent_indent=f"{mark}  ")
