"""Reads a YAML file and remembers the line of every key, so that a fault can say where it stands.

YAML 1.2 scalars: `no` is the word "no" and `1e-5` is a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from harness.errors import Fault, TaskError
from harness.files.hashing import canonical_json


class Source:
    """A parsed YAML file with its line numbers."""

    def __init__(self, path: Path, missing_fix: str):
        """Parse `path`.

        Raises:
            TaskError: the file is missing, not UTF-8, not YAML, or not a mapping.
        """
        self.path = path
        self._tree = _parse(path, missing_fix)
        try:
            self.value: dict[str, Any] = _plain(self._tree)
            canonical_json(self.value).encode()
        except (RecursionError, ValueError) as problem:  # loops, halves of surrogate pairs
            raise TaskError([Fault(str(path), f"cannot be written down: {problem}")]) from None

    def where(self, keys: Sequence[str | int]) -> str:
        """Return `file:line key.path` for the deepest part of `keys` that exists."""
        node: Any = self._tree
        line = 1
        for key in keys:
            try:
                if isinstance(node, CommentedMap):
                    # Keys that YAML reads as numbers are texts in `value`.
                    own_key = {str(own): own for own in node}[str(key)]
                    line = node.lc.key(own_key)[0] + 1
                    node = node[own_key]
                elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
                    line = node.lc.item(key)[0] + 1
                    node = node[key]
                else:
                    break
            except (KeyError, TypeError, AttributeError):
                break
        dotted = ".".join(str(key) for key in keys)
        return f"{self.path}:{line} {dotted}".rstrip()


def _parse(path: Path, missing_fix: str) -> CommentedMap:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError([Fault(str(path), "there is no such file", missing_fix)]) from None
    except IsADirectoryError:
        raise TaskError([Fault(str(path), "is a folder", "name the task.yaml inside it")]) from None
    except OSError as problem:
        raise TaskError([Fault(str(path), f"cannot be read: {problem.strerror}")]) from None
    except UnicodeDecodeError as problem:
        raise TaskError([not_utf8(path, problem)]) from None
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise TaskError([Fault(where, f"is not valid YAML: {problem.problem}")]) from None
    except ReaderError as problem:
        where = f"{path}:{text.count(chr(10), 0, problem.position) + 1}"
        what = f"holds the character {chr(problem.character)!a}, which YAML does not allow"
        raise TaskError([Fault(where, what, "remove it")]) from None
    except Exception as problem:  # ruamel lets pass what int(), date() and the stack raise
        raise TaskError([Fault(str(path), f"is not valid YAML: {problem}")]) from None
    if not isinstance(tree, CommentedMap):
        raise TaskError([Fault(str(path), "must be a mapping of keys to values")])
    return tree


def not_utf8(path: Path, problem: UnicodeDecodeError) -> Fault:
    """Return the fault of a file whose whole bytes `problem` is about, with its line."""
    line = problem.object.count(b"\n", 0, problem.start) + 1
    return Fault(f"{path}:{line}", f"is not UTF-8 text ({problem.reason})", "save it as UTF-8")


def _plain(node: Any) -> Any:
    """Turn ruamel's annotated containers and scalars into plain Python ones."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
