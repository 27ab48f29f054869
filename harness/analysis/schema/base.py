"""What all judged things are: recomputed from facts, immutable, strict about their keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Conclusion(BaseModel):
    """Base of all judged things."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
