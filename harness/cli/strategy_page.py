"""What `harness list strategies NAME` shows: what a strategy needs, and all its parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from harness import registry
from harness.cli.key_docs import docs_of
from harness.errors import HarnessError
from harness.search_space import KEY
from harness.strategy import Strategy

NEEDS = {
    "needs_train": "labelled rows (data.train)",
    "needs_corpus": "documents (data.corpus)",
    "needs_model": "a language model (model)",
}
"""What a strategy may say that it needs, in words."""


def strategy_page(name: str) -> dict[str, Any]:
    """Return what a strategy is and takes, as `--json` prints it.

    Raises:
        UnknownNameError: there is none of that name.
    """
    strategy = registry.find(name, Path.cwd())
    docs = docs_of(strategy.Params)
    return {
        "name": name,
        "summary": (strategy.__doc__ or "").strip(),
        "answers": sorted(strategy.answers),
        "needs": [words for key, words in NEEDS.items() if getattr(strategy, key)],
        "learns": strategy.learns,
        "provides": sorted(strategy.provides),
        "family": _family(strategy),
        "parameters": [
            {"name": key, **_parameter(field), "description": docs.get(key, "")}
            for key, field in strategy.Params.model_fields.items()
        ],
    }


def page_lines(page: Mapping[str, Any]) -> Iterator[str]:
    """Yield the same as lines for a screen."""
    yield f"{page['name']}: {' '.join(page['summary'].split())}"
    yield f"answers: {', '.join(page['answers'])}"
    yield f"needs: {', '.join(page['needs']) or 'nothing'}"
    provides = f"; provides: {', '.join(page['provides'])}" if page["provides"] else ""
    family = f"; family: {page['family']}" if page["family"] else ""
    yield f"learns: {page['learns']}{provides}{family}"
    yield ""
    if not page["parameters"]:
        yield "It has no parameters."
        return
    yield "parameters, with their defaults:"
    for one in page["parameters"]:
        default = "must be given" if one["required"] else json.dumps(one["default"])
        yield f"- {one['name']}: {default}"
        if one["tried"] is not None:
            yield f"  `effort` tries: {one['tried']}"
        if one["description"]:
            yield f"  {one['description']}"


def _parameter(field: FieldInfo) -> dict[str, Any]:
    default = field.get_default(call_default_factory=True)
    written = None if default is PydanticUndefined else json.loads(json.dumps(default, default=str))
    return {"required": field.is_required(), "default": written, "tried": _space(field)}


def _space(field: FieldInfo) -> str | None:
    """Return the values that a search tries, in words; None: it has none."""
    extra = field.json_schema_extra
    if not isinstance(extra, dict) or not isinstance(space := extra.get(KEY), dict):
        return None
    if isinstance(values := space.get("values"), list):
        return ", ".join(json.dumps(value) for value in values)
    if isinstance(ends := space.get("log"), list):
        return f"{ends[0]:g} to {ends[1]:g}, evenly in the logarithm"
    return None


def _family(strategy: type[Strategy]) -> str | None:
    """Return the family whose effort it shares; None: it depends on parameters that it needs."""
    try:
        params = registry.resolved_params(strategy, {}, Path.cwd())
        return registry.family(strategy, registry.profile(strategy, params, Path.cwd()))
    except (HarnessError, ValidationError):
        return strategy.family
