"""Models to test with: tiny ones of many architectures, and the real built-in one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from scripted_server import KEY, Script, serving
from tiny_configs import CONFIGS
from tiny_models import build

from harness.lm import LanguageModel, load
from harness.lm.loading.resolve import resolve


@pytest.fixture(params=sorted(CONFIGS))
def tiny(request: pytest.FixtureRequest) -> LanguageModel:
    """One tiny random model a test run, in float32, without a tokenizer."""
    return build(request.param)


@pytest.fixture(scope="session")
def smollm2() -> LanguageModel:
    """The built-in model, really fetched and loaded."""
    return load(resolve("smollm2-135m-instruct-q4", Path()), "cpu", "float32")


@pytest.fixture
def asking(monkeypatch, tmp_path):
    """A cache and a key of the test's own, and hardly any waiting between attempts."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)


@pytest.fixture
def served():
    """Starts servers for scripts, and stops them all in the end."""
    with ExitStack() as stack:
        yield lambda *steps, **more: stack.enter_context(serving(Script(*steps, **more)))
