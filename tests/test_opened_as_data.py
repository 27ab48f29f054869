"""Every call of the project that opens what others made says that it runs none of its code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parents[1]
SAYS = {
    "from_pretrained": ("trust_remote_code", False),
    "from_config": ("trust_remote_code", False),
    "SentenceTransformer": ("trust_remote_code", False),
    "CrossEncoder": ("trust_remote_code", False),
    "np.load": ("allow_pickle", False),
    "BM25.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
"""What a call must say; of a method of any class, its name alone."""
ITSELF = {"PeftModel.from_pretrained"}
"""Takes no such word: `adapter_files.refuse_unsafe` stands before it."""


def sources():
    return [
        file
        for room in ("harness", "strategies", "reports")
        for file in (HOME / room).rglob("*.py")
    ]


def calls(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_every_loader_says_that_it_runs_nothing():
    found = []
    for file in sources():
        for call, name in calls(file):
            asked = SAYS.get(".".join(name.split(".")[-2:])) or SAYS.get(name.split(".")[-1])
            if asked is None or name in ITSELF:
                continue
            said = {
                word.arg: ast.literal_eval(word.value)
                for word in call.keywords
                if word.arg == asked[0]
            }
            found.append(name)
            assert said == {asked[0]: asked[1]}, f"{file}:{call.lineno}: {name}"
    assert len(found) > 12
    assert {"SentenceTransformer", "CrossEncoder", "BM25.load", "torch.load", "np.load"} <= set(
        found
    )


@pytest.mark.parametrize("module", ["pickle", "cPickle", "dill", "joblib", "shelve", "marshal"])
def test_nothing_unpickles(module):
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert module not in [name.split(".")[0] for name in names], file
