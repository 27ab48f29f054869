"""Model files that this user may not read, and a cache that nobody may write to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import ModelError
from harness.files import hashing
from harness.lm.loading import packing_verdict, resolve


def test_weights_of_somebody_else_are_refused_with_their_path(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("weights")

    def closed(file):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(resolve, "sha256_of_file", closed)
    monkeypatch.setattr(hashing, "sha256_of_file", closed)
    with pytest.raises(ModelError, match="Permission denied → have it made readable") as raised:
        resolve.resolve(str(tmp_path), Path())
    assert str(tmp_path) in str(raised.value)


@dataclass(frozen=True)
class Kept:
    packs: bool
    final: bool = True


@pytest.mark.parametrize("cache", ["/proc/none", "/etc/hostname"])
def test_a_verdict_that_cannot_be_kept_is_made_and_stops_nothing(monkeypatch, cache):
    monkeypatch.setenv("HARNESS_CACHE", cache)
    monkeypatch.setattr(packing_verdict, "check_packing", lambda model: Kept(packs=True))
    monkeypatch.setattr(packing_verdict, "_release", lambda: None)
    monkeypatch.setattr(packing_verdict, "_key", lambda *given: "key")
    config = SimpleNamespace(_attn_implementation="sdpa", to_dict=dict)
    model = SimpleNamespace(config=config, device=SimpleNamespace(type="cpu"))
    assert packing_verdict.verdict_on(model) == Kept(packs=True)
