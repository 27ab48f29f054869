"""Arms that the contract of a launcher has done: what they see, say, leave behind and spoil."""

from __future__ import annotations

SOURCE = """
import ctypes, json, os, random, signal, subprocess, sys, time
from pathlib import Path
from harness import Params, Prediction, Strategy

REMEMBERED = []

class Says(Strategy):
    class Params(Params):
        answer: str = "a"

    def fit(self, train, validation, artifact):
        (artifact / "answer").write_text(self.params.answer + train[0].targets[0])

    def load(self, artifact):
        self.answer = (artifact / "answer").read_text()

    def predict(self, queries):
        return [Prediction(self.answer) for _ in queries]

class Looks(Says):
    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        here = Path.cwd()
        seen = {file.name: file.read_text() for file in here.iterdir()}
        (artifact / "seen.json").write_text(json.dumps([str(here), seen]))

class Tells(Says):
    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        (artifact / "environment.json").write_text(json.dumps(sorted(os.environ)))
        print("my key is", os.environ.get("MY_KEY"), flush=True)
        if key := os.environ.get("MY_KEY"):
            self.context.note("key", key)
            raise ValueError("the key is " + key)

class Raises(Says):
    def fit(self, train, validation, artifact):
        print("said on the way")
        print("said of the trouble", file=sys.stderr)
        (artifact / "half").write_text("half")
        raise ValueError("no luck")

class Leaves(Says):
    def fit(self, train, validation, artifact):
        print("farewell", flush=True)
        sys.exit(3)

class Remembers(Says):
    def fit(self, train, validation, artifact):
        REMEMBERED.append("something")
        (artifact / "answer").write_text(f"{len(REMEMBERED)}")

class Builds(Says):
    @classmethod
    def parts(cls, params):
        return (("own.py:Says", {"answer": "b"}),)

    def fit(self, train, validation, artifact):
        (artifact / "part").mkdir(exist_ok=True)
        self.context.build("own.py:Says", {"answer": "b"}, "part").fit(
            train, validation, artifact / "part")
        (artifact / "answer").write_text((artifact / "part" / "answer").read_text())

class Meddles(Says):
    def fit(self, train, validation, artifact):
        super().fit(train, validation, artifact)
        os.chdir("/")
        os.environ["MEDDLED"] = "yes"
        os.environ.pop("KEPT", None)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        random.seed(7)
        sys.stdout = sys.stderr = None

class Hangs(Says):
    class Params(Params):
        pids: str

    def fit(self, train, validation, artifact):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        pids = Path(self.params.pids)
        pids.with_name("pids.part").write_text(f"{os.getpid()} {child.pid}")
        pids.with_name("pids.part").rename(pids)
        time.sleep(600)

class Hogs(Says):
    def fit(self, train, validation, artifact):
        self.block = b"x" * (400 << 20)
        time.sleep(600)

class Dies(Says):
    def fit(self, train, validation, artifact):
        os._exit(7)

class Killed(Says):
    def fit(self, train, validation, artifact):
        os.kill(os.getpid(), signal.SIGKILL)

class Crashes(Says):
    def fit(self, train, validation, artifact):
        ctypes.string_at(0)
"""
