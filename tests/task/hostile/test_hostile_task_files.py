"""Task files that are huge, deep, endless or of impossible numbers."""

from __future__ import annotations

import pytest
from command_line import harness
from task_folder import KEYS, data, faults_of, nested, task_text, write

pytestmark = pytest.mark.timeout(120)
HUGE = 10**6
LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


def choice(labels):
    return task_text(answer={"kind": "choice", "labels": labels})


TASK_FILES = {
    "a billion laughs": (KEYS and task_text() + LAUGHS, "more than 200,000 values"),
    "a loop of aliases": (task_text(name=None) + "name: &a [*a]\n", "alias|recursion"),
    "nested lists": (task_text() + "x: " + nested("[", "]"), "nested too deeply"),
    "nested mappings": (task_text() + "x: " + nested("{a: ", "}", 10_000), "nested too deeply"),
    "nested indentation": (
        task_text() + "".join(" " * n + "a:\n" for n in range(600)),
        "nested too deeply",
    ),
    "open brackets": (task_text() + "x: " + "[" * HUGE, "nested too deeply|KiB"),
    "an anchor given twice": (task_text(seeds=None) + "seeds: [&a 1, &a 2, 3]\n", None),
    "a merge of a merge": (task_text() + "x: &x {<<: *x}\n", "alias|recursion|x"),
    "fifty megabytes": (task_text() + "#" * 50 * HUGE, "larger than 256 KiB"),
    "many documents": (task_text() + "---\na: 1\n" * 1000, "document"),
    "a tag that builds": (task_text() + "x: !!python/object/apply:os.system ['true']\n", "x"),
    "10,000 arms": (
        task_text(strategies=[{"use": "majority", "name": f"a{n}"} for n in range(10_000)]),
        "1,000 are the most|larger than 256 KiB",
    ),
    "a name of 10 kB": (task_text(name="a" * 10_000), "100 are"),
    "an arm of 10 kB": (
        task_text(strategies=[{"use": "majority", "name": "a" * 10_000}]),
        "100 are",
    ),
    "a path of 10 kB": (task_text(data=data(test="a" * 10_000 + ".jsonl")), "too long"),
    "a corpus' path of 10 kB": (task_text(data=data(corpus="a" * 10_000)), "no such"),
    "a path with a NUL": (task_text(data=data(corpus="a\0b")), "no such|NUL|null"),
    "a label of 10 kB": (choice(["a", "b", "c" * 10_000]), None),
    "a thousand arms": (
        task_text(strategies=[{"use": "majority", "name": f"a{n}"} for n in range(1001)]),
        "1,000 are",
    ),
    "100,000 labels": (
        choice([f"label {n}" for n in range(30_000)]),
        "more than a choice can|larger than",
    ),
    "a thousand seeds": (task_text(seeds=list(range(1000))), "100 are"),
    "a seed of 400 digits": (task_text() + "seeds: [1" + "0" * 400 + "]\n", "less than"),
    "a seed below 0": (task_text(seeds=[-1]), "must be at least 0"),
    "a number of 5,000 digits": (task_text() + "margin: 1" + "0" * 5000 + "\n", "digits|valid"),
    "1e400": (task_text() + "run: {timeout_min: 1e400}\n", "finite"),
    "not a number": (task_text() + "margin: .nan\n", "finite|less|greater"),
    "a hexadecimal of 5 kB": (task_text() + "margin: 0x" + "f" * 5000 + "\n", "digits"),
    "base 60": (task_text() + "margin: " + ":".join(["59"] * 900) + "\n", "margin"),
    "control characters": (task_text() + "x: \x07\n", "does not allow"),
    "a key of 100 kB": (task_text() + "? " + "k" * 100_000 + "\n: 1\n", "k"),
}


@pytest.mark.parametrize("what", TASK_FILES)
def test_a_task_file_is_refused_or_read_right(tmp_path, what):
    text, said = TASK_FILES[what]
    told = [str(fault) for fault in faults_of(write(tmp_path, text))]
    if said is None:
        assert told == []
        done = harness("run", tmp_path / "task.yaml", "--out", tmp_path / "run")
        assert done.returncode == 0, done.stderr  # what `check` passes, `run` does not die on
    else:
        assert any(word in line for line in told for word in said.split("|")), told
        assert all(len(line) < 2100 for line in told)
