"""The reference pages, each a function of the code that it describes.

Knows what a page holds and in which order; how keys are drawn stands in keys.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial

from pydantic import BaseModel

from docs.keys import doc_of, table
from harness import metrics, registry
from harness.analysis import Comparison
from harness.cli import exit_codes
from harness.cli.key_docs import models_in
from harness.cli.parser import _parser
from harness.prices import Prices
from harness.search_space import KEY
from harness.strategy import Strategy
from harness.task.schema import TaskFile

MADE = "<!-- Made by `python -m docs` from the code. Do not edit. -->\n"


def reference_pages() -> dict[str, str]:
    """Return the text of each generated page, by its file's name."""
    pages: dict[str, Callable[[], Iterator[str]]] = {
        "task-file.md": partial(
            _model_page,
            TaskFile,
            "The task file",
            "Every key of `task.yaml`. Paths are relative to the file. A key that is not here is"
            " refused. An entry of `strategies` is a name, or a mapping with `use` and the"
            " strategy's [parameters](strategies.md).",
        ),
        "prices.md": partial(
            _model_page,
            Prices,
            "The price file",
            "Every key of the file that a task names under `prices`. Each row cites the page that"
            " was read. What no row matches is unknown, never 0.",
        ),
        "comparison.md": partial(
            _model_page,
            Comparison,
            "comparison.json",
            "Every key of what a run found. Null means not known. Keys are added in later versions,"
            " and keep their meaning.",
        ),
        "strategies.md": _strategies,
        "metrics.md": _metrics,
        "commands.md": _commands,
    }
    return {name: MADE + "\n" + "\n".join(page()).rstrip() + "\n" for name, page in pages.items()}


def _model_page(model: type[BaseModel], title: str, about: str) -> Iterator[str]:
    """Yield a page on a file that a model describes: its keys, then those of what it holds."""
    yield from (f"# {title}", "", about, "", table(model))
    for inside in models_in(model)[1:]:
        yield from (f"## {inside.__name__}", "", doc_of(inside), "", table(inside))


def _strategies() -> Iterator[str]:
    """Yield the page on strategies: what each is, needs and takes."""
    names = registry.names()
    yield from ("# Strategies", "", "What can be named under `strategies` of a task file.", "")
    yield "*Space* is what `effort` may try of a parameter; the default is always tried first."
    yield ""
    for name in names:
        strategy = registry.find(name)
        yield from (f"## {name}", "", doc_of(strategy), "", *_traits(strategy), "")
        yield table(strategy.Params, partial(_space, strategy.Params))
    inside = (m for name in names for m in models_in(registry.find(name).Params)[1:])
    for model in dict.fromkeys(inside):
        yield from (f"## {model.__name__}", "", doc_of(model), "", table(model))


def _traits(strategy: type[Strategy]) -> Iterator[str]:
    """Yield what a strategy says of itself, as items."""
    params = strategy.Params.model_construct()
    try:
        needs = sorted(strategy.needs(params))
    except AttributeError:  # a parameter has no default
        needs = []
    yield f"- answers: {', '.join(sorted(strategy.answers))}"
    yield f"- needs: {', '.join(needs) or 'nothing'}"
    yield f"- learns: {strategy.learns}"
    yield f"- offers: {', '.join(sorted(strategy.provides)) or 'nothing beyond answers'}"
    yield f"- complexity, which breaks ties: {strategy.complexity} of 5"


def _space(params: type[BaseModel], name: str) -> str:
    """Return a parameter's space in words."""
    extra = params.model_fields[name].json_schema_extra
    space = extra.get(KEY) if isinstance(extra, dict) else None
    if not isinstance(space, dict):
        return ""
    if "log" in space:
        low, high = space["log"]
        return f"*Space: {low} to {high}, by factors.*"
    return f"*Space: {', '.join(map(str, space['values']))}.*"


def _metrics() -> Iterator[str]:
    """Yield the page on metrics."""
    yield from ("# Metrics", "", "What `metric` and `also` of a task file may name.", "")
    yield from ("| metric | scores | needs | what it is |", "|---|---|---|---|")
    for name in metrics.names():
        one = metrics.find(name)
        needs = ", ".join(sorted(one.needs)) or "–"
        kinds = ", ".join(sorted(one.answers))
        yield f"| `{name}` | {kinds} | {needs} | {one.summary} |"
    yield ""
    yield "A metric for which lower is better stands beside others and never decides."
    yield "One of your own: [how-to](../how-to/own-metric.md)."


def _commands() -> Iterator[str]:
    """Yield the page on commands, their options and exit codes."""
    parser = _parser()
    [commands] = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    helps = {action.dest: action.help for action in commands._choices_actions}
    yield from ("# Commands", "", "`python -m harness COMMAND`, or `harness COMMAND`.", "")
    yield from (parser.epilog or "", "")
    for name, command in commands.choices.items():
        yield from (f"## {name}", "", f"{str(helps.get(name, '')).capitalize()}.", "")
        yield from ("| argument | what it is |", "|---|---|")
        for action in command._actions:
            if not isinstance(action, argparse._HelpAction):
                yield f"| {_argument(action)} | {_plain(action)} |"
        yield ""
    yield from ("## Exit codes", "", "| code | means |", "|---|---|")
    for code, means in EXIT_CODES.items():
        yield f"| {code} | {means} |"


EXIT_CODES = {
    exit_codes.OK: "done: whatever was asked for is there",
    exit_codes.MISTAKE: "your mistake, told with place, value and remedy",
    exit_codes.NO_RESULT: "no arm finished; or `--gate` and the choice misses a criterion; or"
    " `merge` found a trial with two different answers, and kept those of the folder named first",
    exit_codes.INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; what finished stays",
}


def _argument(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    shown = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    value = f" `{shown}`" if shown and action.option_strings else ""
    return f"{names}{value}" if names else f"`{shown}`"


def _plain(action: argparse.Action) -> str:
    if action.choices is not None:
        return f"{action.help or ''} one of {', '.join(map(str, action.choices))}".strip()
    return (action.help or "–").replace("<", "&lt;")
