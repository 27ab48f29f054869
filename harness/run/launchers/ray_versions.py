"""What runs on a node of a cluster: Python, this project, torch, transformers; and whether it is
what runs here.

Knows nothing of how a node is asked.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib import metadata

from harness.errors import UserError
from harness.files.hashing import sha256_of
from harness.files.reached_code import sha256_of_code
from harness.registry.source import HOME

PROJECT = "worth-tuning"
COMPARED = (PROJECT, "torch", "transformers")
"""Packages whose versions are the same on all nodes."""
CODE = "code of worth-tuning"


def asking() -> Callable[..., dict[str, str | None]]:
    """Return a function that says what runs where it is called.

    Defined inside this one, so that Ray sends it by value: a node may not have this project.
    """

    def versions(packages: tuple[str, ...], code: str) -> dict[str, str | None]:
        import platform
        from importlib import metadata
        from importlib.util import find_spec

        found: dict[str, str | None] = {"Python": platform.python_version()}
        for name in packages:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = None
        found[code] = None
        if find_spec("harness") is not None:
            from harness.run.launchers.ray_versions import code_sha256

            found[code] = code_sha256()
        return found

    return versions


def code_sha256() -> str:
    """Hash this project's code as it is installed: one version number may stand for several."""
    return sha256_of([sha256_of_code(HOME), sha256_of_code(HOME.parent / "strategies")])


def versions_here() -> dict[str, str | None]:
    """Return what runs here, by name; None: it is not installed."""
    found: dict[str, str | None] = {"Python": platform.python_version(), CODE: code_sha256()}
    for name in COMPARED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def refuse_difference(
    here: Mapping[str, str | None], there: Mapping[str, str | None], node: str
) -> None:
    """Refuse a node that does not run what this machine runs.

    Of Python the first two numbers count, of torch not what it was built for ("+cpu").

    Raises:
        UserError: it names what, both sides, the node, and what to do.
    """
    for name in ("Python", *COMPARED, CODE):
        if _counted(name, here.get(name)) == _counted(name, there.get(name)):
            continue
        mine, other = (_said(side.get(name)) for side in (here, there))
        raise UserError(
            f"the node {node} has {name} {other}, and this machine {mine}: what they compute could"
            f" not be compared → {_remedy(name, here.get(name))}"
        )


def _counted(name: str, version: str | None) -> str | None:
    if version is None:
        return None
    return ".".join(version.split(".")[:2]) if name == "Python" else version.split("+")[0]


def _said(version: str | None) -> str:
    return "not installed" if version is None else version[:12]


def _remedy(name: str, version: str | None) -> str:
    if name == "Python":
        return f"start the node with Python {_counted(name, version)}"
    if name == CODE or version is None:
        return f"install the same {name.removeprefix('code of ')} on both"
    return f"pip install {name}=={version.split('+')[0]} on the node"
