"""What a piece of work needs on a place, and what several in one process need together.

Memory of work that computes with torch on a GPU is what torch reserves there; of all other work it
is the resident memory of the worker's process, libraries and all. The figures for libraries were
measured with the versions of constraints.txt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.plan.target_machine import Place

MEBIBYTE = 2**20
PROCESS_BYTES = 49 * MEBIBYTE
LIBRARY_BYTES = {
    "torch": 200 * MEBIBYTE,
    "transformers": 200 * MEBIBYTE,
    "peft": 58 * MEBIBYTE,
    "bitsandbytes": 50 * MEBIBYTE,
    "sentence_transformers": 66 * MEBIBYTE,
    "sklearn": 150 * MEBIBYTE,
    "openai": 60 * MEBIBYTE,
    "faiss": 25 * MEBIBYTE,
}
"""What a process grows by when a library is imported and first used, beside those named before;
sentence-transformers imports scikit-learn itself."""
IMPORT_S = {
    "torch": (0.8, 4.0),
    "transformers": (1.5, 12.0),
    "peft": (0.5, 5.0),
    "bitsandbytes": (0.3, 5.0),
    "sentence_transformers": (0.8, 6.0),
    "sklearn": (0.4, 4.0),
    "openai": (0.3, 3.0),
    "faiss": (0.05, 0.5),
}
"""At the least, from a warm page cache, and at the most, from a disk. Estimates."""

Span = tuple[float, float]


@dataclass(frozen=True)
class Need:
    """What one piece of work needs."""

    libraries: frozenset[str] = frozenset()
    kept: Mapping[str, int] = field(default_factory=dict)
    """Bytes that stay from then on, by what they are: the same model is there once."""
    loading_bytes: int = 0
    """On top while loading."""
    spared_bytes: int = 0
    """Of `loading_bytes`, what is done without where there is no room for it."""
    working_bytes: int = 0
    """On top while working."""
    staying_bytes: int = 0
    """Of `working_bytes`, what a CPU's heap keeps when it is done: other work comes on top. Of an
    embedder's batches all is measured to stay: `rag` and `rag_lora` took a fifth more than the
    larger of their two works."""
    wall_s: Span | None = (0.0, 0.0)
    """At the least and at the most; None: not known."""
    loading_s: Mapping[str, Span] = field(default_factory=dict)
    """By what is loaded, likewise once."""
    usd: float | None = None
    """What somebody's server charges for it."""
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phase:
    """What a process needs for all its work."""

    peak_bytes: int
    least_bytes: int
    """Without what is done without where there is no room."""
    on_gpu: bool
    """Whether that is memory of the GPU."""
    wall_s: Span | None
    usd: float | None
    says: tuple[str, ...]


def together(needs: Sequence[Need], place: Place) -> Phase:
    """Return what a process needs that does one work after another."""
    libraries = frozenset().union(*(need.libraries for need in needs))
    if "sentence_transformers" in libraries:
        libraries -= {"sklearn"}
    kept: dict[str, int] = {}
    loading: dict[str, Span] = {}
    for need in needs:
        kept = {k: max(kept.get(k, 0), need.kept.get(k, 0)) for k in {*kept, *need.kept}}
        loading |= need.loading_s
    on_gpu = place.device == "cuda" and "torch" in libraries
    base = 0 if on_gpu else PROCESS_BYTES + sum(LIBRARY_BYTES[name] for name in libraries)
    base += sum(kept.values())
    heap = max((need.staying_bytes for need in needs), default=0)
    beside = [0 if need.staying_bytes else heap for need in needs]  # the same work takes it again
    full = [
        max(need.loading_bytes, need.working_bytes) + stays
        for need, stays in zip(needs, beside, strict=True)
    ]
    least = [
        max(need.loading_bytes - need.spared_bytes, need.working_bytes) + stays
        for need, stays in zip(needs, beside, strict=True)
    ]
    walls = [need.wall_s for need in needs]
    wall: Span | None = None
    if all(span is not None for span in walls):
        imports = [IMPORT_S[name] for name in libraries]
        wall = added([*imports, *loading.values(), *(span for span in walls if span is not None)])
    charges = [need.usd for need in needs if need.usd is not None]
    return Phase(
        peak_bytes=base + max(full, default=0),
        least_bytes=base + max(least, default=0),
        on_gpu=on_gpu,
        wall_s=wall,
        usd=sum(charges) if charges else None,
        says=tuple(dict.fromkeys(text for need in needs for text in need.says)),
    )


def added(spans: Iterable[Span]) -> Span:
    """Return the sum of times."""
    spans = list(spans)
    return sum(low for low, _ in spans), sum(high for _, high in spans)


def reading_s(size_bytes: int) -> Span:
    """Return how long so many bytes are read from a file: 2 GB/s at best, 200 MB/s at worst.

    Both are estimates.
    """
    return size_bytes / 2e9, size_bytes / 2e8
