"""The nouns of comparison.json and of the report; all of them are recomputed from records.

Where a Python name is another than the key in comparison.json, the key stands as its alias.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Conclusion(BaseModel):
    """Base of all of them: immutable, strict about keys, written under the keys of the file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        populate_by_name=True,
        serialize_by_alias=True,
    )
