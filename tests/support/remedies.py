"""Follows the remedies that faults print, by their words alone, as a reader of the terminal would.

A remedy that a test cannot follow from its words, a person cannot either: a new kind of remedy is
a row of `FOLLOWED`.
"""

import json
import re
from pathlib import Path

from ruamel.yaml import YAML
from task_folder import faults_of

from harness.errors import Fault


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split("\n")


def _place(fault: Fault) -> tuple[Path, int, list[str]]:
    match = re.match(r"(.*?)(?::(\d+))?(?: (\S.*))?$", fault.where)
    return Path(match[1]), int(match[2] or 1), (match[3] or "").split(".")


def _quote(fault: Fault, text: str) -> None:
    """Put the quoted text where the file has it without quotes, on the fault's line."""
    file, line, _ = _place(fault)
    lines = _lines(file)
    bare = rf"(?<![\w.+\"'-]){re.escape(json.loads(text))}(?![\w.+\"'-])"
    lines[line - 1], count = re.subn(bare, lambda _: text, lines[line - 1], count=1)
    assert count, (fault, lines[line - 1])
    file.write_text("\n".join(lines), encoding="utf-8")


def _changed(file: Path, change) -> None:
    yaml = YAML(typ="safe", pure=True)
    yaml.preserve_quotes = True
    value = yaml.load(file.read_text(encoding="utf-8"))
    change(value)
    file.write_text(
        "".join(f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in value.items()),
        encoding="utf-8",
    )


def _write_key(task: Path, part: str, key: str, value: str) -> None:
    """Write `key: value` under a part of the task file."""
    read = YAML(typ="safe", pure=True).load(value)
    _changed(task, lambda keys: keys[part].__setitem__(key, read))


def _value_of(fault: Fault, value: str) -> None:
    """Write another value for the key that the fault names."""
    task, _, keys = _place(fault)

    def change(whole):
        for key in keys[:-1]:
            whole = whole[int(key) if isinstance(whole, list) else key]
        last = keys[-1]
        whole[int(last) if isinstance(whole, list) else last] = json.loads(value)

    _changed(task, change)


def _rename(fault: Fault, old: str, new: str) -> None:
    """Rename a column of the file that the fault names."""
    file, _, _ = _place(fault)
    text = file.read_text(encoding="utf-8")
    found = f'"{old}":' if file.suffix.startswith(".json") else old
    named = f'"{new}":' if file.suffix.startswith(".json") else new
    assert found in text
    file.write_text(text.replace(found, named), encoding="utf-8")


def _leave_out(fault: Fault) -> None:
    """Take the row that the fault names out of its file."""
    file, line, _ = _place(fault)
    lines = _lines(file)
    lines[line - 1] = ""
    file.write_text("\n".join(lines), encoding="utf-8")


def _rename_key(fault: Fault, new: str) -> None:
    file, line, keys = _place(fault)
    lines = _lines(file)
    lines[line - 1] = re.sub(rf"\b{re.escape(keys[-1])}\b", new, lines[line - 1], count=1)
    file.write_text("\n".join(lines), encoding="utf-8")


def _remove(fault: Fault) -> None:
    """Take the key, or the item of a list, that the fault names out of the task file."""
    file, _, keys = _place(fault)

    def change(whole):
        for key in keys[:-1]:
            whole = whole[int(key) if isinstance(whole, list) else key]
        del whole[int(keys[-1]) if isinstance(whole, list) else keys[-1]]

    _changed(file, change)


FOLLOWED = [
    (r"^rename it to '(.+)'$", lambda fault, task, m: _rename_key(fault, m[1])),
    (r"^remove it( here)?$", lambda fault, task, m: _remove(fault)),
    (r"rename '(.+)' to '(.+)' in this file", lambda fault, task, m: _rename(fault, m[1], m[2])),
    (r"quote it: (\".*\")$", lambda fault, task, m: _quote(fault, m[1])),
    (r"write e\.g\. (\".*\")$", lambda fault, task, m: _value_of(fault, m[1])),
    (
        r"write `(\w+): (.+?)` under `(\w+)`",
        lambda fault, task, m: _write_key(task, m[3], m[1], m[2]),
    ),
    (r"or leave out the row$", lambda fault, task, m: _leave_out(fault)),
]
"""The words of a remedy, and what a reader does then."""


def follow(fault: Fault, task: Path) -> None:
    """Do what a fault of `task` says."""
    for words, act in FOLLOWED:
        if match := re.search(words, fault.fix):
            act(fault, task, match)
            return
    raise AssertionError(f"nobody can follow this remedy: {fault}")


def faults_after_following(task: Path) -> list[Fault]:
    """Follow every remedy that loading a task prints, each kind once, and return what is left."""
    faults = faults_of(task)
    assert faults, "nothing is wrong, so no remedy is tried"
    done = set()
    for fault in faults:
        key = fault.fix if fault.fix.startswith("write `") else (fault.where, fault.fix)
        if key not in done:
            done.add(key)
            follow(fault, task)
    return faults_of(task)
