"""Whatever an arm does while it runs ends as its own row; the arms beside it finish.

One run of many arms that misbehave within their process, and one of those that only a process of
its own survives, each with a well-behaved arm last. What code does before a run, on import say, is
in tests/task/test_code_check.py.
"""

from __future__ import annotations

import textwrap

import pytest

from harness.analysis import analyse

HEAD = """
import atexit, ctypes, gc, json, os, random, shutil, signal, socket, subprocess, sys, threading
import time
from dataclasses import replace
from pathlib import Path
from harness import Prediction, Strategy

class Rule(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class Silent(Exception):
    def __str__(self):
        raise ValueError("no words")

def answers(queries, **more):
    return [replace(Prediction("a"), **more) for _ in queries]
"""
OK, FAILED, LOST = "ok", "failed", "out_of_memory"

FIT = {
    "raise ValueError('no luck')": (FAILED, "in preparation: ValueError: no luck"),
    "raise Silent": (FAILED, "in preparation: Silent"),
    "raise ValueError('long ' * 10**6)": (FAILED, "characters left out"),
    "def f(): return f()\nf()": (FAILED, "RecursionError"),
    "raise MemoryError('all of it')": (LOST, "MemoryError: all of it"),
    "raise StopIteration": (FAILED, "StopIteration"),
    "raise ExceptionGroup('many', [ValueError(1)])": (FAILED, "ExceptionGroup: many"),
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'bad')": (FAILED, "UnicodeDecodeError"),
    "shutil.rmtree(artifact)": (FAILED, "it took its artifact's folder away"),
    "artifact.rmdir(); artifact.write_text('a file')": (FAILED, "took its artifact's folder away"),
    "artifact.rmdir(); artifact.symlink_to('/tmp')": (FAILED, "took its artifact's folder away"),
    "os.mkfifo(artifact / 'pipe')": (FAILED, "its artifact holds a pipe (pipe)"),
    "(artifact / 'x').symlink_to('/etc/passwd')": (FAILED, "a link that leads out of it (x)"),
    "(artifact / 'x').symlink_to('/')": (FAILED, "a link that leads out of it (x)"),
    "s = socket.socket(socket.AF_UNIX); os.chdir(artifact); s.bind('s'); s.close()": (
        FAILED, "its artifact holds a socket (s)",
    ),
    "(artifact / 'y').write_text('y'); (artifact / 'x').symlink_to(artifact / 'y')": (OK, None),
    "(artifact / 'x').symlink_to(artifact / 'x')": (FAILED, "a link that leads out of it (x)"),
    "os.mkfifo(artifact.parent / 'train_log.jsonl')": (OK, None),
    "(artifact.parent / 'train_log.jsonl').write_bytes(b'\\xff\\n{\\n[]')": (OK, None),
    "(artifact.parent / 'fit.json').mkdir()": (FAILED, "fit.json"),
    "(artifact.parent / 'scratch').symlink_to('/nowhere')": (OK, None),
    "os.unlink(artifact.parent / 'job.json')": (OK, None),
    "self.context.build('no_such', {}, 'part')": (FAILED, "no strategy is called 'no_such'"),
    "self.context.build('tfidf', {'x': 1}, 'part')": (FAILED, "ValidationError"),
    "self.context.metric([Prediction(3)], [train[0]])": (FAILED, "Error"),
    "[self.context.note('n', str(i)) for i in range(10**4)]": (OK, None),
    "self.context.note('n', 'long ' * 10**6)": (OK, None),
    "self.context.note(3, None)": (OK, None),
    "self.context.log(loss=float('nan'), step='x')": (OK, None),
    "self.context.log(loss=object())": (FAILED, "TypeError"),
    "[p.unlink() for p in Path.cwd().glob('*.jsonl')]": (OK, None),
    "os.chdir('/')": (OK, None),
    "os.environ.clear()": (OK, None),
    "sys.stdout = sys.stderr = None": (OK, None),
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)": (OK, None),
    "random.seed(1); gc.disable()": (OK, None),
    "object.__setattr__(train, 'examples', ())": (FAILED, "fit changed its training"),
}  # fmt: skip
PREDICT = {
    "return None": (FAILED, "predict returned NoneType, not a sequence"),
    "return 3": (FAILED, "predict returned int, not a sequence"),
    "return {}": (FAILED, "predict returned dict, not a sequence"),
    "return 'a' * len(queries)": (FAILED, "predict returned 'a' where a Prediction was due"),
    "return []": (FAILED, "predict returned 0 predictions for 8 queries"),
    "return answers(queries) * 2": (FAILED, "predict returned 16 predictions for 8 queries"),
    "return [Prediction(3) for _ in queries]": (FAILED, "where a Prediction was due"),
    "return [Prediction(None) for _ in queries]": (FAILED, "where a Prediction was due"),
    "return [Prediction(b'a') for _ in queries]": (FAILED, "where a Prediction was due"),
    "return [Prediction('\\ud800') for _ in queries]": (FAILED, "UnicodeEncodeError"),
    "return [Prediction('a' * 2 * 10**6) for _ in queries]": (FAILED, "2,000,000 characters, of"),
    "return answers(queries, wall_s=float('nan'))": (FAILED, "wall_s: nan is not seconds"),
    "return answers(queries, wall_s=-1)": (FAILED, "wall_s: -1"),
    "return answers(queries, usd=float('inf'))": (FAILED, "usd: inf is not a price"),
    "return answers(queries, usd='free')": (FAILED, "usd: 'free'"),
    "return answers(queries, output_tokens=1.5)": (FAILED, "output_tokens: 1.5"),
    "return answers(queries, label_logprobs={'a': float('nan')})": (FAILED, "'a': nan"),
    "return answers(queries, label_logprobs=[1])": (FAILED, "label_logprobs: list"),
    "return answers(queries, prompt=3)": (FAILED, "prompt: int"),
    "return answers(queries, sources='doc')": (FAILED, "sources: str"),
    "return answers(queries, sources=(1,))": (FAILED, "sources: tuple"),
    "return answers(queries, notes='x')": (FAILED, "notes: → a tuple of texts"),
    "return answers(queries, finish_reason='bored')": (FAILED, "finish_reason: 'bored'"),
    "return answers(queries, error='long ' * 10**6)": (FAILED, "characters left out"),
    "return answers(queries, notes=('n',) * 10**4)": (OK, None),
    "return answers(queries, error=3)": (FAILED, "error: int"),
    "queries.pop(); return answers(queries)": (FAILED, "predict changed its queries"),
    "raise KeyError('x')": (FAILED, "all 8 predictions failed, the first with: KeyError"),
    "raise Silent()": (FAILED, "the first with: Silent"),
    "return (Prediction('a') for _ in queries)": (FAILED, "predict returned generator"),
    "return [Prediction('a\\0\\x1b[31m<b>') for _ in queries]": (OK, None),
}
ALONE = {
    "fit: os._exit(0)": (FAILED, "ended with exit code 0 and no result"),
    "fit: sys.exit(0)": (FAILED, "ended with exit code 0 and no result"),
    "fit: raise KeyboardInterrupt": (FAILED, "no result"),
    "fit: os.kill(os.getppid(), signal.SIGKILL); time.sleep(9)": (None, None),
    "fit: threading.Thread(target=time.sleep, args=(600,)).start()": (OK, None),
    "fit: atexit.register(time.sleep, 600)": (OK, None),
    "fit: atexit.register(os._exit, 7)": (OK, None),
    "fit: os.write(2, b'words ' * (3 << 20))": (OK, None),
    "fit: json.dumps = os.replace = time.monotonic = None": (None, None),
    "fit: os.closerange(0, 100)": (None, None),
    "predict: ctypes.string_at(0)": (FAILED, "signal 11"),
    "predict: os.kill(os.getpid(), signal.SIGKILL)": (LOST, "killed by the system"),
    "predict: os._exit(0)": (FAILED, "ended with exit code 0 and no result"),
    "load: FOLDER_RESULT.write_text('{'); os._exit(0)": (FAILED, "account cannot be read"),
    "load: FOLDER_RESULT.write_text('{\"status\": \"ok\"}'); os._exit(0)": (
        FAILED, "it left no predictions.jsonl",
    ),
    "load: os.mkfifo(FOLDER_RESULT); os._exit(0)": (FAILED, "the code put something else"),
    "load: FOLDER_RESULT.symlink_to('/dev/zero'); os._exit(0)": (FAILED, "something else"),
}  # fmt: skip
FOLDER_RESULT = "(next(p for p in artifact.parent.glob('*/job.json')).parent / 'result.json')"


def source_of(cases: list[str]) -> str:
    """A class for each case: in `fit` or `predict`, or as the case itself says."""
    classes = [HEAD]
    for number, case in enumerate(cases):
        half = "fit" if case in FIT else "predict"
        if case in ALONE:
            half, _, case = case.partition(": ")  # noqa: PLW2901
        given = {
            "fit": "train, validation, artifact",
            "load": "artifact",
            "predict": "queries",
        }[half]
        body = textwrap.indent(case.replace("FOLDER_RESULT", FOLDER_RESULT), " " * 8)
        classes.append(f"class C{number}(Rule):\n    def {half}(self, {given}):\n{body}\n")
    return "\n".join(classes)


def rows_of(tiny, run, folder, cases, **changes):
    """Run arms of all cases, and the majority last; returns each case's row."""
    arms = [f"own.py:C{number}" for number in range(len(cases))]
    path = tiny(folder, source_of(cases), [*arms, "majority"], **changes)
    done, _ = run(path, folder / "run")
    rows = {row.strategy: row for row in analyse(done).arms}
    assert rows["majority"].status == "ok"
    return {case: rows[f"c{number}"] for number, case in enumerate(cases)}, done


@pytest.fixture(scope="module")
def within(tiny, run_tiny, tmp_path_factory):
    return rows_of(tiny, run_tiny, tmp_path_factory.mktemp("within"), [*FIT, *PREDICT])[0]


@pytest.fixture(scope="module")
def alone(tiny, run_in_processes, tmp_path_factory):
    return rows_of(tiny, run_in_processes, tmp_path_factory.mktemp("alone"), [*ALONE])


def check(row, status, words):
    if status is not None:
        assert (row.status, row.error) == (status, row.error), row.error
    assert row.error is None or len(row.error) <= 2100
    assert words is None or words in row.error


@pytest.mark.parametrize("case", [*FIT, *PREDICT])
def test_what_an_arm_does_within_its_process_is_its_own_row(within, case):
    check(within[case], *{**FIT, **PREDICT}[case])


@pytest.mark.process  # only a process of its own survives what these do
@pytest.mark.parametrize("case", ALONE)
def test_what_only_a_process_survives_is_a_row_too(alone, case):
    check(alone[0][case], *ALONE[case])


@pytest.mark.process  # looks at what the processes above left behind
def test_what_an_arm_prints_is_kept_up_to_a_length_and_the_rest_is_counted(alone):
    logs = [log.read_bytes() for log in alone[1].path.glob("trials/*/*/stderr.log")]
    longest = max(logs, key=len)
    assert len(longest) < (1 << 20) + 100
    assert longest.endswith("… and 17,825,792 bytes more, which are not kept\n".encode())
