"""A side runs in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import (
    measure,
)
from benchmarks.sides import SideError, Sides


def fifty_mib(repeat):
    block, measurement = measure.measured(lambda: b"x" * 2**20 * 50 * repeat)
    return measurement, {"length": len(block), "loaded": "torch" in sys.modules}


def breaks():
    raise ValueError("on purpose")


def silent():
    sys.exit(0)


@pytest.fixture
def sides(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return Sides(quick=False, device="cpu")


def test_a_side_is_a_process_of_its_own(sides, capsys):
    small, large = (sides.run(fifty_mib, repeat=repeat) for repeat in (1, 5))
    assert small.values == {"length": 50 * 2**20, "loaded": False}
    assert large.peak_rss_bytes - small.peak_rss_bytes == pytest.approx(200 * 2**20, rel=0.3)
    assert 0 < large.wall_s < large.total_s
    assert large.peak_gpu_bytes is None
    assert "fifty_mib" in capsys.readouterr().err


def test_a_broken_side_is_named_with_its_last_words(sides):
    with pytest.raises(SideError, match=r"(?s)test_sides\.breaks ended with code 1.*purpose"):
        sides.run(breaks)
    with pytest.raises(SideError, match=r"test_sides\.silent ended with code 0"):
        sides.run(silent)
