"""Models to test with: tiny ones of many architectures, and the real built-in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import CONFIGS, build

from harness.lm import LanguageModel, load
from harness.lm.models import resolve


@pytest.fixture(params=sorted(CONFIGS))
def tiny(request: pytest.FixtureRequest) -> LanguageModel:
    """One tiny random model a test run, in float32, without a tokenizer."""
    return build(request.param)


@pytest.fixture(scope="session")
def smollm2() -> LanguageModel:
    """The built-in model, really fetched and loaded."""
    return load(resolve("smollm2-135m-instruct-q4", Path()), "cpu", "float32")
