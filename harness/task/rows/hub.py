"""Reads rows of a data set of the model hub through `datasets`, at one revision.

Knows how the hub's client is asked; what it says of a failure is put into words by `files/hub.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import Fault
from harness.files.hub import hub_failure
from harness.task.rows.parquet import AT_ONCE, MOST_CELLS, table_rows
from harness.task.rows.reading import Reading

INSTALL = "pip install 'worth-tuning[hub]'"
ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
"""Of a data set on the hub; never a path of this machine."""
NOT_TEXT = ("Image", "Audio", "Video", "Pdf", "Array2D", "Array3D", "Array4D", "Array5D")
"""Features of `datasets` that are no text; columns of them are left out."""


@dataclass(frozen=True)
class HubRef:
    """One split of a data set."""

    name: str
    config: str | None = None
    revision: str | None = None
    split: str = "train"

    def __str__(self) -> str:
        """Return it as faults name it: hub:squad/plain_text@main[train]."""
        config = f"/{self.config}" if self.config else ""
        at = f"@{self.revision}" if self.revision else ""
        return f"hub:{self.name}{config}{at}[{self.split}]"


def hub_rows(
    ref: HubRef, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the values of each row; add what is wrong to `faults`."""
    place = str(ref)
    if not ID.fullmatch(ref.name):
        what = f"'{ref.name}' is no id of a data set on the hub"
        faults.append(
            Fault(place, what, "write NAME or OWNER/NAME; name local files by their path")
        )
        return
    try:
        from datasets import ClassLabel, load_dataset
    except ImportError:
        what = "a data set of the hub needs `datasets`, which is not installed"
        faults.append(Fault(place, what, INSTALL))
        return
    try:
        found = load_dataset(ref.name, ref.config, revision=ref.revision, split=ref.split)
    except Exception as problem:  # the client raises what its environment raises
        config = f", {ref.config!r}" if ref.config else ""
        local = (
            f"save it where the hub can be reached, `datasets.load_dataset({ref.name!r}{config},"
            f" split={ref.split!r}).to_parquet('{ref.split}.parquet')`, and name that file"
        )
        what, _, fix = hub_failure(problem, local).partition(" → ")
        faults.append(Fault(place, f"cannot be had from the hub: {what}", fix))
        return
    other = [name for name, kind in found.features.items() if type(kind).__name__ in NOT_TEXT]
    if other:
        found = found.remove_columns(other)
        reading.say(place, f"columns that are no text are left out: {', '.join(other)}")
    if ref.revision is None:
        reading.say(place, "no revision is named, so it may change → write `revision:` beside it")
    if found.num_rows * len(found.features) > MOST_CELLS:
        faults.append(Fault(place, f"has more than {MOST_CELLS:,} cells", "name a smaller split"))
        return
    names = {
        name: list(kind.names) for name, kind in found.features.items() if type(kind) is ClassLabel
    }
    batches = (
        batch
        for table in found.with_format("arrow").iter(batch_size=AT_ONCE)
        for batch in table.combine_chunks().to_batches()
    )
    yield from table_rows(batches, names, place, reading, faults)
