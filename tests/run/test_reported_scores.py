"""Situations from public bug reports, beside the project: what `run` scores the answers in them.

The cases say what is right; they are no part of the project. Through processes, as the reports were
of whole runs; none of their arms loads a model.
"""

import json

import pytest

from benchmarks import public_sets
from harness.cli.commands import run_command

CASES = public_sets.FOLDER.parent / "cases"
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not CASES.is_dir(), reason=f"there is no {CASES}"),
]
SCORED = {
    "21-choice-labels-that-differ-by-signs/a": {"sign_flipped": 1 / 3},
    "22-numbers-lose-sign-and-point/a": {"all_wrong": 0.0},
    "23-label-in-a-sentence-without-spaces/a": {"sentence": 1.0, "colon": 1.0},
    "23-label-in-a-sentence-without-spaces/b": {"chinese": 1.0, "english": 1.0},
    "24-thoughts-before-the-answer/a": {"think": 1.0, "box": 1.0, "last_line": 1.0},
    "24-thoughts-before-the-answer/b": {"plain": 1.0, "fenced": 1.0, "words_after": 1.0},
    "25-bleu-and-f1-by-script-and-length/a": {"perfect": 1.0},
    "26-tfidf-on-one-letter-words/a": {"tfidf": 1.0},
    "26-tfidf-on-one-letter-words/b_emoji": {"tfidf": 1.0},
}


@pytest.mark.parametrize("case", SCORED)
def test_right_answers_count_as_right_and_wrong_ones_as_wrong(case, tmp_path):
    out = tmp_path / "out"
    assert run_command(["run", str(CASES / f"{case}.yaml"), "--out", str(out)]) == 0
    arms = json.loads((out / "comparison.json").read_text(encoding="utf-8"))["rows"]
    scores = {arm["strategy"]: arm["score"]["value"] for arm in arms}
    assert {name: scores[name] for name in SCORED[case]} == pytest.approx(SCORED[case])
