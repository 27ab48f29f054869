"""How a task file names its rows and documents, and how their files are to be read.

Knows shapes of keys alone; what reads them stands in `rows`.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from harness.task.rows import HubRef
from harness.task.spec import Column, Spec


class HubSet(Spec):
    """One split of a data set of the model hub, read through `datasets`."""

    hub: str
    """Its id: NAME or OWNER/NAME."""
    config: str | None = None
    """One of the configurations of the set; null: its only one."""
    revision: str | None = None
    """A commit, tag or branch; without it the set may change between two runs, which is said."""
    split: str = "train"
    """The split of the set that is read."""

    @property
    def ref(self) -> HubRef:
        """What reads it."""
        return HubRef(self.hub, self.config, self.revision, self.split)


def _shape(value: Any) -> str | None:
    if isinstance(value, HubSet):
        return "dict[]"
    return {list: "list[]", dict: "dict[]", str: "str[]", type(None): "none[]"}.get(type(value))


ONE = "a path, a pattern of file names (part-*.jsonl) or {hub: NAME}"
One = Annotated[
    Annotated[str, Tag("str[]")] | Annotated[HubSet, Tag("dict[]")],
    Discriminator(_shape, custom_error_type="rows", custom_error_message=f"must be {ONE}"),
]
Rows = Annotated[
    Annotated[str, Tag("str[]")]
    | Annotated[HubSet, Tag("dict[]")]
    | Annotated[list[One], Tag("list[]"), Field(min_length=1)]
    | Annotated[None, Tag("none[]")],
    Discriminator(
        _shape,
        custom_error_type="rows",
        custom_error_message=f"must be {ONE}, or a list of these",
    ),
]
"""Where rows are."""


def sources_of(rows: Rows) -> list[str | HubRef]:
    """Return the sources that a key names, in order."""
    named = rows if isinstance(rows, list) else [] if rows is None else [rows]
    return [one.ref if isinstance(one, HubSet) else one for one in named]


def _known(name: str) -> str:
    try:
        if codecs.lookup(name)._is_text_encoding:
            return name
    except (LookupError, ValueError):
        pass
    raise ValueError("no encoding has that name")


class Read(Spec):
    """How files are read, where what is found in them would be wrong."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Between the cells of delimited text. Without it: that of a `sep=` line, else the first of
    comma, tab, semicolon and bar that the header has and the rows after it have as often."""
    encoding: Annotated[str, AfterValidator(_known)] | None = None
    """Of text. Without it: a byte order mark, else UTF-8, else windows-1252; others than UTF-8 are
    told. No byte is ever replaced."""
    header: bool = True
    """Whether the first row of a table names its columns; false: they are called 1, 2, 3, …"""
    rows: str | None = None
    """In a file of one JSON object the key of the list of rows (`result.items` of a deeper one).
    Without it: the only list of objects there is."""
    sheet: str | int | None = None
    """Name or number (from 1) of an Excel sheet. Without it: the only one that has cells."""


class Documents(Spec):
    """A file of documents whose columns have other names."""

    file: str
    """The path of the file."""
    id: Column = "id"
    """Column with the id of a document."""
    title: Column = "title"
    """Column with its title."""
    text: Column = "text"
    """Column with its text."""
    allow: Column = "allow"
    """Column with the groups that may read it."""


def _corpus_shape(value: Any) -> str | None:
    if isinstance(value, Documents):
        return "dict[]"
    return {dict: "dict[]", str: "str[]", type(None): "none[]"}.get(type(value))


CorpusFiles = Annotated[
    Annotated[str, Tag("str[]")]
    | Annotated[Documents, Tag("dict[]")]
    | Annotated[None, Tag("none[]")],
    Discriminator(
        _corpus_shape,
        custom_error_type="corpus",
        custom_error_message="must be the path of a folder or a file of documents, or"
        " {file: PATH, text: COLUMN, …}",
    ),
]
"""Where documents are."""
