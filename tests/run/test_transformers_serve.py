"""SmolLM2 behind a server that is not ours, `transformers serve`: a whole run of prompted arms."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from harness.lm import load
from harness.lm.loading.resolve import resolve
from harness.store.predictions_file import read_predictions
from harness.toolkit import generate

pytestmark = pytest.mark.model
UP_S = 120


@pytest.fixture(scope="module")
def model():
    return resolve("smollm2-135m-instruct-q4", Path())


@pytest.fixture(scope="module")
def address(model, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", model.location, "--device", "cpu", "--dtype", "float32"]
    command = [sys.executable, "-m", "transformers.cli.transformers", *words]
    log = tmp_path_factory.mktemp("serve") / "serve.log"
    with (
        log.open("w") as stream,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=stream, stderr=stream
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        while not healthy(url):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield f"{url}/v1"
        process.terminate()


def healthy(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.mark.timeout(UP_S)
def test_its_answers_are_those_of_the_model_here(
    address, model, tiny, run_tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    hosted = {"provider": "openai", "base_url": address, "model": model.location, "key_env": None}
    few = {"use": "few_shot", "shots": 3, "select": "random"}
    arms = ["zero_shot", {**few, "template": "turns"}]
    text = {"answer": {"kind": "text"}, "metric": "exact_match"}
    text["generation"] = {"max_new_tokens": 6}
    path = tiny(tmp_path, "", arms, model=hosted, **text)
    folder, records = run_tiny(path, tmp_path / "run", limit=4)
    here = load(model, "cpu", "float32")
    for arm in ("zero_shot", "few_shot"):
        assert records[arm].status == "ok", records[arm].error
        (file,) = folder.path.glob(f"trials/{arm}/*/*/predictions.jsonl")
        rows = list(read_predictions(file).values())
        expected = generate(here, [row.prompt for row in rows], 6)
        assert [row.text for row in rows] == [answer.text for answer in expected]
        assert [row.prompt_tokens for row in rows] == [a.prompt_tokens for a in expected]
        assert isinstance(rows[0].prompt, str if arm == "zero_shot" else tuple)
