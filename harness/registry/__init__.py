"""Strategies by name: the class, what it is with its parameters, and the source it rests on."""

from harness.registry.declared import LEARNS, declared, estimate, floors
from harness.registry.lookup import GROUP, find, names, reference_to
from harness.registry.origin import Origin, code_sha256, origin_of, origins_in
from harness.registry.profiles import (
    Profile,
    profile,
    refused,
    resolved_params,
    with_parts,
)
from harness.registry.refitting import refits
from harness.registry.source import distributions_of, files_of, source_sha256
from harness.registry.spaces import FAMILIES, family, space

__all__ = [
    "FAMILIES",
    "GROUP",
    "LEARNS",
    "Origin",
    "Profile",
    "code_sha256",
    "declared",
    "distributions_of",
    "estimate",
    "family",
    "files_of",
    "find",
    "floors",
    "names",
    "origin_of",
    "origins_in",
    "profile",
    "reference_to",
    "refits",
    "refused",
    "resolved_params",
    "source_sha256",
    "space",
    "with_parts",
]
