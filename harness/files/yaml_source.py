"""Reads a YAML file and remembers where every key and value stands, and in which words.

YAML 1.2 scalars: `no` is the word "no" and `1e-5` is a number. A key is the text that the file
writes: `01`, `1.10` and `true` are the keys "01", "1.10" and "true"; so are the values of the keys
that whoever reads it names as texts. Of all other values that YAML reads as something else than
text, the written text is kept too (`Source.written`), so that a fault can say how to quote it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from harness.errors import Fault, TaskError
from harness.files.bounded import MIB, RefusedFileError, read_bounded
from harness.files.hashing import canonical_json

TAG = "tag:yaml.org,2002:"
CONSTRUCTED = frozenset(f"{TAG}{kind}" for kind in ("bool", "int", "float", "null", "timestamp"))
"""Tags of the scalars that are no text; whatever else a tag says is not obeyed."""
MERGE = f"{TAG}merge"
NULL = f"{TAG}null"
MOST_BYTES = MIB // 4
"""Of a file. A task file has a few kilobytes; long lists of labels and schemas have their own."""
MOST_VALUES = 200_000
"""Values of a file, those of an alias counted wherever it stands: ten lines of aliases to aliases
would be more than any memory holds."""


class Source:
    """A parsed YAML file with its line numbers."""

    def __init__(
        self,
        path: Path,
        missing_fix: str,
        within: Path | None = None,
        texts: Sequence[tuple[str | int, ...]] = (),
    ):
        """Parse `path`; no link may leave the folder `within` if it lies in it.

        Args:
            path: of the file.
            missing_fix: what to do where there is none.
            within: a folder that no link may leave which lies in it.
            texts: where lists and mappings of texts stand, each by the keys that lead to it: their
                scalars are what the file writes.

        Raises:
            TaskError: the file is missing, not UTF-8, not YAML, or not a mapping.
        """
        self.path = path
        self._texts = tuple(texts)
        self._values = 0
        self._tree = _parse(path, missing_fix, within)
        self._faults: list[Fault] = []
        try:
            self.value: dict[str, Any] = self._plain(self._tree, ())
            canonical_json(self.value).encode()
        except (RecursionError, ValueError) as problem:  # loops, halves of surrogate pairs
            fix = NO_ALIASES if self._values > MOST_VALUES else ""
            raise TaskError([Fault(str(path), f"cannot be written down: {problem}", fix)]) from None
        if self._faults:
            raise TaskError(self._faults)

    def where(self, keys: Sequence[str | int]) -> str:
        """Return `file:line key.path` for the deepest part of `keys` that exists."""
        line = 1
        for place, _ in self._found(keys):
            line = place.start_mark.line + 1
        dotted = ".".join(str(key) for key in keys)
        return f"{self.path}:{line} {dotted}".rstrip()

    def position(self, keys: Sequence[str | int]) -> tuple[int, int]:
        """Return line and column of the deepest part of `keys` that exists."""
        found = [place.start_mark for place, _ in self._found(keys)]
        return (found[-1].line, found[-1].column) if found else (0, 0)

    def written(self, keys: Sequence[str | int]) -> str | None:
        """Return the text of the scalar at `keys` that YAML reads as no text; None of all else."""
        found = list(self._found(keys))
        if len(found) < len(keys) or not keys or not _is_no_text(found[-1][1]):
            return None
        return str(found[-1][1].value)

    def _found(self, keys: Sequence[str | int]) -> Iterator[tuple[Node, Node]]:
        """Yield, for each key as far as they exist, the node where it stands and its value's."""
        node: Node = self._tree
        for key in keys:
            if isinstance(node, MappingNode):
                found = {_key_text(own): (own, value) for own, value in _pairs(node)}.get(str(key))
                if found is None:
                    return
                yield found
                node = found[1]
            elif isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                yield node, node
            else:
                return

    def _plain(self, node: Node, keys: tuple[str | int, ...]) -> Any:
        """Turn a node into plain Python values; keep as faults what only looks like one.

        Raises:
            ValueError: there are more than `MOST_VALUES`.
        """
        self._values += 1
        if self._values > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} values, those of aliases counted")
        if isinstance(node, SequenceNode):
            return [self._plain(value, (*keys, at)) for at, value in enumerate(node.value)]
        if isinstance(node, MappingNode):
            self._check_keys(node, keys)
            return {
                (text := _key_text(key)): self._plain(value, (*keys, text))
                for key, value in _pairs(node)
            }
        if not _is_no_text(node) or (node.value and self._is_text(keys, node)):
            return node.value
        yaml = YAML(typ="safe", pure=True)
        try:
            return yaml.constructor.construct_object(node)
        except (ValueError, OverflowError, KeyError, AttributeError, MarkedYAMLError) as problem:
            what = f"is not valid YAML: {getattr(problem, 'problem', problem)}"
            tagged = yaml.resolver.resolve(ScalarNode, node.value, (True, False)) != node.tag
            fix = "remove the tag before it" if tagged else quote_it(node.value)
            self._faults.append(Fault(self.where(keys), what, fix))
            return node.value

    def _is_text(self, keys: tuple[str | int, ...], node: Node) -> bool:
        """Tell whether a scalar is an item or a value of what holds texts, or in a value's list.

        null as a value says nothing; deeper ones are JSON's.
        """
        for place in self._texts:
            of_item = keys[len(place) :]
            if keys[: len(place)] == place and of_item:
                if len(of_item) == 1:
                    return node.tag != NULL or isinstance(of_item[0], int)
                return len(of_item) == 2 and isinstance(of_item[1], int)
        return False

    def _check_keys(self, node: MappingNode, keys: tuple[str | int, ...]) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            where = f"{self.path}:{key.start_mark.line + 1} {'.'.join(map(str, keys))}".rstrip()
            if not isinstance(key, ScalarNode):
                fix = "write one word or a quoted text before the colon"
                self._faults.append(Fault(where, "is not valid YAML here: a key is no text", fix))
                continue
            if key.value in seen and key.tag != MERGE:
                what = f"is not valid YAML here: duplicate key '{key.value}'"
                self._faults.append(Fault(where, what, "remove one of the two"))
            seen.add(key.value)


def quote_it(text: str) -> str:
    """Return the remedy for a scalar that YAML reads as no text, and that shall be one."""
    return f"quote it: {json.dumps(text, ensure_ascii=False)}" if text else "write a text"


def _is_no_text(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag in CONSTRUCTED


def _key_text(key: Node) -> str:
    return str(key.value)


def _pairs(node: MappingNode) -> list[tuple[Node, Node]]:
    """Return keys and values, those that `<<` merges in after the mapping's own."""
    own = [(key, value) for key, value in node.value if key.tag != MERGE]
    known = {_key_text(key) for key, _ in own}
    for key, value in node.value:
        if key.tag != MERGE:
            continue
        for merged in value.value if isinstance(value, SequenceNode) else [value]:
            if not isinstance(merged, MappingNode):
                raise ValueError("`<<` merges mappings alone")
            for pair in _pairs(merged):
                if _key_text(pair[0]) not in known:
                    known.add(_key_text(pair[0]))
                    own.append(pair)
    return own


NO_ALIASES = "write fewer, or put long lists into files of their own"
LARGE = "put long lists into files of their own, e.g. labels: labels.json"


def _parse(path: Path, missing_fix: str, within: Path | None) -> MappingNode:
    text = _text(path, missing_fix, within)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor may be given anew: YAML has it so
            tree = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise TaskError([Fault(where, f"is not valid YAML: {problem.problem}")]) from None
    except ReaderError as problem:
        where = f"{path}:{text.count(chr(10), 0, problem.position) + 1}"
        what = f"holds the character {chr(problem.character)!a}, which YAML does not allow"
        raise TaskError([Fault(where, what, "remove it")]) from None
    except RecursionError:
        fix = "write it with fewer brackets and indentations inside each other"
        what = "is not YAML that can be read: it is nested too deeply"
        raise TaskError([Fault(str(path), what, fix)]) from None
    except Exception as problem:  # ruamel lets pass what chr() and the stack raise
        raise TaskError([Fault(str(path), f"is not valid YAML: {problem}")]) from None
    if not isinstance(tree, MappingNode):
        raise TaskError([Fault(str(path), "must be a mapping of keys to values")])
    return tree


def _text(path: Path, missing_fix: str, within: Path | None) -> str:
    try:
        return read_bounded(path, MOST_BYTES, within).decode("utf-8")
    except FileNotFoundError:
        raise TaskError([Fault(str(path), "there is no such file", missing_fix)]) from None
    except IsADirectoryError:
        raise TaskError([Fault(str(path), "is a folder", "name the task.yaml inside it")]) from None
    except RefusedFileError as problem:
        fix = LARGE if problem.is_large else problem.fix
        raise TaskError([Fault(str(path), f"cannot be read: {problem.strerror}", fix)]) from None
    except OSError as problem:
        raise TaskError([Fault(str(path), f"cannot be read: {problem.strerror}")]) from None
    except UnicodeDecodeError as problem:
        raise TaskError([not_utf8(path, problem)]) from None


def not_utf8(path: Path, problem: UnicodeDecodeError) -> Fault:
    """Return the fault of a file whose whole bytes `problem` is about, with its line."""
    if problem.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        what, fix = "is UTF-16, not UTF-8 text", "save it as UTF-8 (in Excel: CSV UTF-8)"
        return Fault(str(path), what, fix)
    line = problem.object.count(b"\n", 0, problem.start) + 1
    return Fault(f"{path}:{line}", f"is not UTF-8 text ({problem.reason})", "save it as UTF-8")
