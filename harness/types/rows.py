"""What is asked and what is right: queries, examples, splits of them, and documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

from harness.files.hashing import sha256_of, sha256_of_items
from harness.wording.values import value_text


@dataclass(frozen=True, slots=True)
class Query:
    """One input to answer. `fields` holds only the columns named in `data.visible`."""

    id: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    """Groups that the asker belongs to: what documents may be shown."""

    @property
    def full_text(self) -> str:
        """The input as a model reads it: its text, then the visible fields one a line.

        A field of null is left out; how lists and objects are written is `value_text`'s rule.
        """
        if not self.fields:  # most inputs: of a million it counts
            return self.text
        known = {name: value for name, value in self.fields.items() if value is not None}
        return "\n".join([self.text, *(f"{name}: {value_text(v)}" for name, v in known.items())])

    @property
    def sha256(self) -> str:
        """Hash of all that it asks, whatever its id."""
        return sha256_of([self.text, dict(self.fields), sorted(self.groups)])

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Query:
        """Return the query that a line of JSON holds."""
        return cls(**{**row, "groups": tuple(row.get("groups", ()))})


@dataclass(frozen=True, slots=True)
class Example:
    """A query with its accepted answers; any of `targets` is right."""

    query: Query
    targets: tuple[str, ...]


def _as_values(example: Example) -> dict[str, Any]:
    """Return what `dataclasses.asdict` does of an example, without copies: of a million it counts.

    Trials' ids rest on the hash of these: their names and nesting stay.
    """
    query = example.query
    asked = {"id": query.id, "text": query.text, "fields": query.fields, "groups": query.groups}
    return {"query": asked, "targets": example.targets}


@dataclass(frozen=True)
class Document:
    """One document of the corpus."""

    id: str
    title: str
    text: str
    allow: tuple[str, ...] | None = None
    """Groups that may read it; None: everybody."""

    @cached_property
    def content(self) -> str:
        """Hash of what it says, the same for copies: title and text, whatever blanks are between.

        A title that is the document's own name (its file's) is no content.
        """
        return content_of(self.id, self.title, self.text)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Document:
        """Return the document that a line of JSON holds."""
        allow = row.get("allow")
        return cls(**{**row, "allow": None if allow is None else tuple(allow)})


def content_of(document_id: str, title: str, *texts: str) -> str:
    """Return what tells a document or a part of it from others: as `Document.content` has it."""
    named = "" if title == document_id.rsplit("/", 1)[-1] else title
    return sha256_of([" ".join(text.split()) for text in (named, *texts)])


@dataclass(frozen=True)
class Split(Sequence[Example]):
    """A frozen list of examples: the same rows in the same order for every arm."""

    name: str
    examples: tuple[Example, ...]

    @property
    def queries(self) -> list[Query]:
        """The examples without their targets."""
        return [example.query for example in self.examples]

    @cached_property
    def sha256(self) -> str:
        """Content hash over ids, inputs, visible fields and targets, in order."""
        return sha256_of_items(map(_as_values, self.examples))

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """Return one example, or a tuple of them for a slice."""
        return self.examples[index]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        """Iterate over the examples in their frozen order."""
        return iter(self.examples)
