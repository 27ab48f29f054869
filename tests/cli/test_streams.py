"""A stream takes what it is given, and says at the end what was lost."""

from __future__ import annotations

import io
import os

import pytest

from harness.cli.streams import _Enduring, _text


def enduring(place, errors="replace", encoding="ascii"):
    raw = _Enduring(place, "w")
    like = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return raw, _text(raw, like, errors)


def test_what_the_encoding_lacks_is_replaced(tmp_path):
    _, stream = enduring(tmp_path / "out")
    print("a → b", file=stream, flush=True)
    assert (tmp_path / "out").read_text() == "a ? b\n"
    stream.close()


def test_a_full_disk_is_kept_in_mind_and_stops_nothing():
    raw, stream = enduring("/dev/full")
    for _ in range(3):
        print("words", file=stream, flush=True)
    assert raw.problem.strerror == "No space left on device"
    stream.close()


def test_a_pipe_that_nobody_reads_stops_nothing():
    there, here = os.pipe()
    os.close(there)
    raw, stream = enduring(here)
    print("words", file=stream, flush=True)
    assert isinstance(raw.problem, BrokenPipeError)
    stream.close()


@pytest.mark.parametrize("unbuffered", [True, False])
def test_buffering_stays_as_it_was(tmp_path, unbuffered):
    like = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=unbuffered)
    with _Enduring(tmp_path / "out", "w") as raw, _text(raw, like, "replace") as stream:
        stream.write("ä")
        assert (tmp_path / "out").read_text("utf-8") == ("ä" if unbuffered else "")
