"""What all records on disk are: immutable, strict about their keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A record on disk: immutable, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
