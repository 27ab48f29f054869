"""What a Python source names of other modules, wherever in it an import stands.

Read from its text: nothing is run and nothing is imported. Knows no noun of the project.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

DYNAMIC_BUILTINS = frozenset(["exec", "eval", "globals", "__import__", "__builtins__"])
DYNAMIC_MODULES = ("builtins", "imp", "importlib", "pkgutil", "runpy", "zipimport")
DYNAMIC_ATTRIBUTES = ("sys.modules", "sys.meta_path", "sys.path_hooks")
"""What finds modules by names that a program makes up while it runs."""
HARMLESS = ("importlib.metadata.version", "importlib.metadata.metadata", "importlib.resources")
"""Parts of dynamic modules that find none."""


@dataclass(frozen=True)
class References:
    """What one source names of modules."""

    imported: frozenset[str] = frozenset()
    """Dotted names that import statements load: "package.module" or "package.module.name"."""
    used: frozenset[str] = frozenset()
    """Dotted names that expressions spell, from an imported name on: "package.module.name". One
    that ends with a module stands for all of it: the text does not say what is taken from it."""
    bound: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name in the source → the dotted names that imports bind to it."""
    is_plain: bool = False
    """It has only imports, texts and names like `__all__`, so it decides nothing by itself."""
    is_dynamic: bool = False
    """It may reach modules that its text does not name, or its text cannot be read."""


@cache
def references(source: bytes, module: str, is_package: bool) -> References:
    """Return what a source names of modules.

    Args:
        source: the file's bytes.
        module: its dotted name, from which relative imports start.
        is_package: whether it is a package's `__init__`.
    """
    reader = _Reader(module if is_package else module.rpartition(".")[0])
    try:
        tree = ast.parse(source)
        for node in tree.body:
            reader.visit(node)
    except (SyntaxError, ValueError, RecursionError):  # e.g. compiled code
        return References(is_dynamic=True)
    used = {
        ".".join([target, *names])
        for first, *names in reader.spelled
        for target in reader.bound.get(first, ())
    }
    builtins = {first for first, *_ in reader.spelled}
    return References(
        frozenset(reader.imported),
        frozenset(used | reader.taken_whole),
        {name: frozenset(targets) for name, targets in reader.bound.items()},
        all(map(_is_plain, tree.body)),
        bool(builtins & DYNAMIC_BUILTINS) or any(map(_is_dynamic, used)),
    )


class _Reader:
    """Collects the imports of one source, and the dotted names that its expressions spell."""

    def __init__(self, package: str):
        self.package = package
        self.imported: set[str] = set()
        self.taken_whole: set[str] = set()
        """Modules of which anything may be used."""
        self.bound: dict[str, set[str]] = {}
        self.spelled: set[tuple[str, ...]] = set()
        self._readers: Mapping[type[ast.AST], Callable[[Any], None]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.If: self._if,
            ast.ClassDef: self._class,
            ast.Call: self._call,
        }

    def visit(self, node: ast.AST) -> None:
        """Read a node and all below it."""
        read = self._readers.get(type(node))
        if read is None:
            self._visit_all(ast.iter_child_nodes(node))
        else:
            read(node)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imported.add(alias.name)
            # `import a.b` binds `a` to a; `import a.b as x` binds `x` to a.b.
            top = alias.name.partition(".")[0]
            name, target = (alias.asname, alias.name) if alias.asname else (top, top)
            self.bound.setdefault(name, set()).add(target)

    def _import_from(self, node: ast.ImportFrom) -> None:
        base = self._base(node)
        for alias in node.names:
            if alias.name == "*":
                self.taken_whole.add(base)
                continue
            self.imported.add(f"{base}.{alias.name}")
            self.bound.setdefault(alias.asname or alias.name, set()).add(f"{base}.{alias.name}")

    def _base(self, node: ast.ImportFrom) -> str:
        """Return the module that `from … import` names; each dot after the first goes one up."""
        if not node.level:
            return node.module or ""
        around = self.package.split(".")
        return ".".join(
            [*around[: len(around) - node.level + 1], *([node.module] if node.module else [])]
        )

    def _name(self, node: ast.Name) -> None:
        self.spelled.add((node.id,))

    def _attribute(self, node: ast.Attribute) -> None:
        names: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self.spelled.add((inner.id, *reversed(names)))
        else:
            self.visit(inner)

    def _if(self, node: ast.If) -> None:
        never_runs = _is_type_checking(node.test)
        self._visit_all(node.orelse if never_runs else ast.iter_child_nodes(node))

    def _call(self, node: ast.Call) -> None:
        if name := _constant_import(node):
            self.taken_whole.add(name)
        else:
            self._visit_all(ast.iter_child_nodes(node))

    def _class(self, node: ast.ClassDef) -> None:
        """Read a class; what its body imports becomes an attribute, by which others may use it."""
        body = _Reader(self.package)
        body._visit_all(filter(_is_import, node.body))
        self.taken_whole |= body.imported
        self._visit_all(ast.iter_child_nodes(node))


def _constant_import(call: ast.Call) -> str | None:
    """Return the module that a call of `import_module` or `__import__` names as a constant."""
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name not in ("import_module", "__import__") or len(call.args) != 1 or call.keywords:
        return None
    value = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
    return value if isinstance(value, str) and not value.startswith(".") else None


def _is_dynamic(name: str) -> bool:
    """Tell whether a dotted name is of something that may find any module."""
    finds = name.partition(".")[0] in DYNAMIC_MODULES or name.startswith(DYNAMIC_ATTRIBUTES)
    return finds and not name.startswith(HARMLESS)


def _is_type_checking(test: ast.expr) -> bool:
    """Tell whether a condition is `TYPE_CHECKING`: what stands below it never runs."""
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_plain(node: ast.stmt) -> bool:
    """Tell whether a statement only passes names on: an import, a text, or `__all__ = …`."""
    if isinstance(node, ast.Assign):
        names = [target.id if isinstance(target, ast.Name) else "" for target in node.targets]
        return all(name.startswith("__") for name in names)
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        return all(map(_is_plain, node.orelse))
    return _is_import(node) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
