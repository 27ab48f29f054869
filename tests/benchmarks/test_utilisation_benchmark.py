"""`utilisation`: shares of the machine's own rate."""

from __future__ import annotations

from fake_sides import COMMON, FakeSides

from benchmarks import (
    utilisation,
)


def test_utilisation_gives_shares_of_the_machines_rate(monkeypatch):
    monkeypatch.setattr(utilisation, "has_bf16", lambda: True)
    values = {
        "machine": 200.0,
        "machine_by_size": {"1024": 200.0},
        "prefill": 150.0,
        "train": 100.0,
        "prefill_tokens_per_s": 1.0,
        "train_tokens_per_s": 1.0,
    }
    found = utilisation.run(FakeSides({utilisation.ours: (1.0, values)}))
    assert set(found) > COMMON
    for short in ("fp32", "bf16"):
        assert (found[f"prefill_{short}"], found[f"train_{short}"]) == (0.75, 0.5)
    assert found["peer_s"] is None
