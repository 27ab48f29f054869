"""What all parts of the task file are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from harness.wording.values import nfc

Fraction = Annotated[float, Field(gt=0, lt=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator of random numbers takes."""
Column = Annotated[str, AfterValidator(nfc)]
"""The name of a column. Like a label it is compared in one form of Unicode (NFC)."""


def listed(value: Any) -> Any:
    """Return a text as a list of it, anything else as it is: where one may stand for several."""
    return [value] if isinstance(value, str) else value


Listed = BeforeValidator(listed, json_schema_input_type=str | list[str])


class Spec(BaseModel):
    """Base of all parts of the task file: no text is empty, no number infinite."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        str_min_length=1,
        allow_inf_nan=False,
    )
