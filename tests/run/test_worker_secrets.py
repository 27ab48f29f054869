"""A run's keys: each arm has its own alone, and none stands in anything that is left."""

from __future__ import annotations

import json

from command_line import harness, rows_of, write_task
from raw_server import as_json, coded, raw_server, whole

KEY, OTHER = "sk-5f0c-never-to-be-written", "sk-of-the-other-server"
SOURCE = """
import json, os, sys
from harness import Prediction, Strategy, lm, toolkit

class Looks(Strategy):
    def fit(self, train, validation, artifact):
        (artifact / "environment.json").write_text(json.dumps(sorted(os.environ)))

    def predict(self, queries):
        return [Prediction("rain") for _ in queries]

class Rests(Looks):
    needs_model = True

class Asks(Looks):
    needs_model = True

    def load(self, artifact):
        self.model = lm.open_model(self.context)

    def predict(self, queries):
        print(os.environ["TEST_KEY"], file=sys.stderr)
        return toolkit.answer(self.model, [query.text for query in queries], self.context.task)
"""


def hosted(url, **more):
    keys = {"provider": "openai", "base_url": url, "model": "far", "key_env": "TEST_KEY"}
    return {**keys, "max_retries": 0, "concurrency": 1, **more}


def seen(run, arm):
    (path,) = run.glob(f"trials/{arm}/*/artifact/environment.json")
    return set(json.loads(path.read_text()))


def ran(tmp_path, mode):
    """Run one arm that asks nobody and one that asks a server of some mode."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "look.py").write_text(SOURCE)
    with raw_server(mode) as server:
        arms = [
            "look.py:Looks",
            {"use": "look.py:Asks", "model": hosted(server.url)},
            {
                "use": "look.py:Rests",
                "model": hosted("http://127.0.0.1:9/v1", key_env="OTHER_KEY"),
            },
        ]
        path = write_task(tmp_path / "task", arms)
        keys = {"TEST_KEY": KEY, "OTHER_KEY": OTHER, "HF_TOKEN": "hf_x", "KEY_COPY": KEY}
        cache = str(tmp_path / "cache")
        done = harness("run", path, "--out", tmp_path / "run", HARNESS_CACHE=cache, **keys)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for secret in (KEY, OTHER, coded(KEY)[:-4]):
        assert [file for file in files if secret.encode() in file.read_bytes()] == []
        assert secret not in done.stdout + done.stderr
    return tmp_path / "run", done


def test_each_arm_has_its_own_key_and_no_other_secret(tmp_path):
    run, done = ran(tmp_path, as_json(content="rain"))
    assert done.returncode == 0, done.stderr
    secrets = {"TEST_KEY", "OTHER_KEY", "HF_TOKEN", "KEY_COPY"}
    assert seen(run, "looks") & secrets == set()
    assert seen(run, "asks") & secrets == {"TEST_KEY"}
    assert seen(run, "rests") & secrets == {"OTHER_KEY"}
    assert {row["status"] for row in rows_of(run).values()} == {"ok"}


def test_a_server_that_repeats_the_key_everywhere_leaves_it_nowhere(tmp_path):
    """In headers, names and answers of some requests, and in the refusals of others."""

    def mode(key, server):
        forms = f"{key} {coded(key)} {key.upper()}"
        if len(server.requests) % 2:
            return whole(
                json.dumps({"error": {"message": forms}}),
                f"503 {key}",
                [f"Retry-After: {key}", f"Set-Cookie: a={key}"],
            )
        answer = {"message": {"content": f"rain {forms}"}}
        return whole(json.dumps({"model": key, "choices": [answer]}), headers=[f"X-A: {key}"])

    run, _ = ran(tmp_path, mode)
    text = "".join(file.read_text() for file in run.rglob("*") if file.is_file())
    assert "rain [key]" in text
    assert "Retry-After: [key]" in text
    assert "the server answered as '[key]'" in text
