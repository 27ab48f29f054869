"""The data of a task: its documents, and its rows as splits with what is right of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import Fault
from harness.files.yaml_source import Source
from harness.metrics import complaint_under
from harness.store.finding import Finding
from harness.task.answer_format import labels_of, read_labels, read_schema
from harness.task.columns import NEEDED, absent_everywhere, columns_of, reading_of
from harness.task.corpus import Corpus, Table, read_corpus
from harness.task.frozen_splits import since_frozen
from harness.task.gold import GoldReader, GoldRow
from harness.task.one_file import Parts, parts_of
from harness.task.rows import Reading, Row, read_sources
from harness.task.rows_schema import Documents, sources_of
from harness.task.schema import Data, TaskFile
from harness.task.split_cut import SPLITS
from harness.task.splits import Seen, examples_of
from harness.types import Split
from harness.wording.values import nfc


class TaskData(NamedTuple):
    """All that is read beside the task file itself."""

    labels: Mapping[str, str]
    schema: Mapping[str, Any] | None
    corpus: Corpus
    splits: Mapping[str, Split]
    truths: Mapping[str, list[GoldRow]]
    said: tuple[Finding, ...] = ()
    """What is worth saying of how rows were read and came into their splits."""


def read_data(spec: TaskFile, source: Source, faults: list[Fault]) -> TaskData:
    """Read labels, schema, documents and rows; add what is wrong with them to `faults`."""
    split = spec.split
    reading = reading_of(spec.data, *((split.column, split.time) if split else ()))
    labels = read_labels(spec, source, faults)
    schema = read_schema(spec, source, faults)
    corpus = _corpus(spec, source, reading, faults)
    parts = _rows(spec, source, reading, faults)
    found = list(reading.findings())
    if spec.answer.kind == "choice" and spec.answer.labels is None:
        labels, of_labels = labels_of(parts.rows["train"], spec.data, source, faults)
        found += of_labels
    gold = GoldReader(
        labels,
        None if schema is None else complaint_under(schema),
        spec.answer.no_answer,
        {nfc(document.id): document.id for document in corpus.documents},
    )
    splits, truths, of_splits = _splits(spec, source, parts, gold, faults)
    said = (*(Finding.of_sentence(one, "how the data were read") for one in found), *of_splits)
    return TaskData(labels, schema, corpus, splits, truths, said)


def _corpus(spec: TaskFile, source: Source, reading: Reading, faults: list[Fault]) -> Corpus:
    data = spec.data
    if data.corpus is None:
        return Corpus()
    folder = source.path.parent
    named = data.corpus if isinstance(data.corpus, Documents) else Documents(file=data.corpus)
    place = folder / named.file
    for key in (*SPLITS, "all"):
        for rows in sources_of(getattr(data, key)):
            if isinstance(rows, str) and _absolute(folder / rows).is_relative_to(_absolute(place)):
                what = "these rows lie in data.corpus and would be read as documents"
                faults.append(Fault(source.where(["data", key]), what, "move them elsewhere"))
    return read_corpus(place, faults, folder, Table(named, reading))


def _absolute(path: Path) -> Path:
    """Return the path without dots, by its text alone: it need not exist, nor be one that could."""
    return Path(os.path.abspath(path))


def _splits(
    spec: TaskFile, source: Source, parts: Parts, reader: GoldReader, faults: list[Fault]
) -> tuple[dict[str, Split], dict[str, list[GoldRow]], tuple[Finding, ...]]:
    rows = parts.rows
    first = [part[0] for part in rows.values() if part][:1]
    known = {column: None for part in rows.values() for column in columns_of(part)}
    faults.extend(absent_everywhere(first, known, spec.data, "visible"))
    no_test = not rows["test"]
    splits: dict[str, Split] = {}
    truths: dict[str, list[GoldRow]] = {}
    seen: Seen = {}
    for name in SPLITS:
        splits[name], truths[name] = examples_of(name, rows[name], spec.data, reader, seen, faults)
    if no_test and not faults:
        fix = "add rows, or raise split.test" if spec.data.all else "add data.test"
        faults.append(Fault(source.where(["data"]), "there are no test rows", fix))
    said = [Finding.of_sentence(line, "how rows were split") for line in parts.said]
    if parts.frozen is not None:
        changed = since_frozen(parts.frozen, splits, parts.left_out)
        said += (Finding.of_sentence(line, "changed rows", "warning") for line in changed)
    return splits, truths, tuple(said)


def _rows(spec: TaskFile, source: Source, reading: Reading, faults: list[Fault]) -> Parts:
    data, folder = spec.data, source.path.parent
    where = source.where(["data"])
    named = [name for name in SPLITS if getattr(data, name)]
    if data.all:
        if named:
            what = f"`all` and `{named[0]}` exclude each other"
            faults.append(Fault(where, what, f"remove {' and '.join(named)}, or remove `all`"))
        if spec.split is None:
            fix = "add e.g. split: {test: 0.3, validation: 0.1}"
            faults.append(Fault(where, "`all` needs shares to be cut by", fix))
            return Parts()
        whole = read_sources(sources_of(data.all), folder, faults, reading)
        read = _with_columns({"all": whole}, data, faults)["all"]
        return parts_of(read, spec, spec.split, source, faults)
    if spec.split is not None:
        faults.append(Fault(source.where(["split"]), "`split` cuts `data.all`", "name that file"))
    if not data.test:
        faults.append(Fault(where, "`test` is missing", "add data.test, or data.all and split"))
    read_of = {
        name: read_sources(sources_of(getattr(data, name)), folder, faults, reading)
        for name in SPLITS
    }
    return Parts(_with_columns(read_of, data, faults))


def _with_columns(
    files: Mapping[str, list[Row]], data: Data, faults: list[Fault]
) -> dict[str, list[Row]]:
    """Return the rows of files; none of a file that lacks a column, which is one fault."""
    kept: dict[str, list[Row]] = {}
    columns = {name: columns_of(rows) for name, rows in files.items()}
    for name, rows in files.items():
        elsewhere = set().union(*(columns[other] for other in files if other != name))
        found = [
            f
            for key in NEEDED
            for f in absent_everywhere(rows, columns[name], data, key, elsewhere)
        ]
        faults.extend(found)
        kept[name] = [] if found else rows
    return kept
