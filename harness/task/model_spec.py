"""Models as the task file names them: by name, folder or hub id, or on somebody's server."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, TypeAdapter
from pydantic_core import PydanticCustomError

from harness.task.spec import NonNegativeFloat, PositiveFloat, Spec
from harness.types import Endpoint, ModelRef, model_name

UNSHOWN = "unshown"
"""Type of a fault whose value is not repeated: it may be a secret."""


def _named_or_hosted(value: Any) -> str | None:
    if isinstance(value, dict | Hosted):
        return "dict[model]"
    return "str[model]" if isinstance(value, str) else None


def _one_or_several(value: Any) -> str | None:
    return "list[models]" if isinstance(value, list) else _named_or_hosted(value)


def _plain_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", value):
        what = (
            "must be an http(s) address without user, password, query or fragment"
            " → write it up to and with /v1, e.g. http://localhost:8000/v1"
        )
        raise PydanticCustomError(UNSHOWN, what)
    return value.rstrip("/")


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):  # a key has small letters
        what = (
            "must be the name of the environment variable that holds the key, in capitals, and not"
            " the key itself → write e.g. OPENAI_API_KEY"
        )
        raise PydanticCustomError(UNSHOWN, what)
    return value


class Hosted(Spec):
    """A model on somebody's server. Its key comes from the environment and is written nowhere."""

    provider: Literal["openai"]
    """Any server that speaks OpenAI's protocol (chat completions)."""
    base_url: Annotated[str, AfterValidator(_plain_address)]
    """Address up to and with `/v1`."""
    model: str
    """The name by which its server knows it."""
    key_env: Annotated[str, AfterValidator(_variable)] | None = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; null for a server that wants none."""
    concurrency: int = Field(8, gt=0)
    """Requests in flight at once, at most."""
    timeout_s: PositiveFloat = 60
    """Seconds after which a request is given up."""
    max_retries: int = Field(5, ge=0)
    """Of a request that fails, times out or is held back, by exponential backoff."""
    extra: dict[str, Any] = Field({})
    """Further fields of each request's body."""
    usd_per_million_input_tokens: NonNegativeFloat | None = None
    """Dollars for a million prompt tokens."""
    usd_per_million_output_tokens: NonNegativeFloat | None = None
    """Dollars for a million tokens of answers."""
    usd_per_million_cached_tokens: NonNegativeFloat | None = None
    """For prompt tokens that the server says it had kept. What is not given is unknown, not 0."""
    licence: str | None = None
    """The model's licence, for `needs.licence`: a server says nothing of it."""


Model = Annotated[
    Annotated[str, Tag("str[model]")] | Annotated[Hosted, Tag("dict[model]")],
    Discriminator(
        _named_or_hosted,
        custom_error_type="model",
        custom_error_message="must be a model's name, or a mapping with provider, base_url"
        " and model",
    ),
]


Models = Annotated[
    Annotated[str, Tag("str[model]")]
    | Annotated[Hosted, Tag("dict[model]")]
    | Annotated[Annotated[list[Model], Field(min_length=1)], Tag("list[models]")],
    Discriminator(
        _one_or_several,
        custom_error_type="model",
        custom_error_message="must be a model's name, a mapping with provider, base_url and"
        " model, or a list of such",
    ),
]


def read_model(value: Any) -> Model:
    """Return a model that a parameter names.

    Raises:
        pydantic.ValidationError: it is none.
    """
    model: Model = _MODEL.validate_python(value)
    return model


_MODEL: TypeAdapter[Any] = TypeAdapter(Model)


def name_of(model: Model) -> str:
    """Return what a model is called in the record: its name as given, a hosted one's with where."""
    return model_name(model if isinstance(model, str) else model.model_dump())


def hosted_ref(spec: Hosted) -> ModelRef:
    """Return a hosted model as its address and terms."""
    endpoint = Endpoint(**spec.model_dump(exclude={"base_url", "model", "licence"}))
    origin = f"hosted at {spec.base_url}"
    licence = spec.licence
    return ModelRef(spec.model, spec.base_url, origin=origin, hosted=endpoint, licence=licence)
