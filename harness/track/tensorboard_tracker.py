"""Writes trials as TensorBoard's event files: a folder a trial, `tensorboard --logdir` shows them.

Uses the package `tensorboard` alone, neither TensorFlow nor torch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.files.removal import remove
from harness.track.tracked_trial import TrackedTrial


class TensorBoardTracker:
    """Event files below a folder."""

    def __init__(self, task: str, folder: Path):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary, self._writer = Event, Summary, EventFileWriter
        self._folder = folder

    def trial(self, trial: TrackedTrial) -> None:
        """Write a trial's parameters, figures and curves into a folder of its own, anew."""
        place = self._folder / trial.name
        if place.is_dir():
            remove(place)
        values = [(p.step, self._scalar(f"training/{p.curve}", p.value)) for p in trial.points]
        figures = trial.figures.items()
        values += [(0, self._scalar(f"measured/{name}", value)) for name, value in figures]
        values.append((0, self._text("parameters", _table(trial))))
        self._write(place, values)

    def found(self, trial: TrackedTrial, figures: Mapping[str, float]) -> None:
        """Add what was found to a trial's folder."""
        values = [(0, self._scalar(f"found/{name}", value)) for name, value in figures.items()]
        self._write(self._folder / trial.name, values)

    def close(self) -> None:
        """Do nothing: each file is closed when it is written."""

    def _scalar(self, tag: str, value: float) -> Any:
        return self._summary.Value(tag=tag, simple_value=value)

    def _text(self, tag: str, text: str) -> Any:
        """Return a text for the plugin that shows texts."""
        from tensorboard.plugins.text import metadata
        from tensorboard.util import tensor_util

        return self._summary.Value(
            tag=tag,
            metadata=metadata.create_summary_metadata(display_name=tag, description=""),
            tensor=tensor_util.make_tensor_proto([text.encode()]),
        )

    def _write(self, place: Path, values: list[tuple[int, Any]]) -> None:
        writer = self._writer(str(place))
        try:
            for step, value in values:
                summary = self._summary(value=[value])
                writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))
        finally:
            writer.close()


def _table(trial: TrackedTrial) -> str:
    """Return a trial's parameters as a Markdown table of code, in which no text is Markdown."""
    rows = {"strategy": trial.strategy, "seed": str(trial.seed), "status": trial.status}
    rows |= {"error": trial.error} if trial.error else {}
    lines = [
        f"| {_code(key)} | {_code(value)} |" for key, value in {**rows, **trial.params}.items()
    ]
    return "\n".join(["| parameter | value |", "|---|---|", *lines])


def _code(text: str) -> str:
    plain = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return f"`{plain or ' '}`"
