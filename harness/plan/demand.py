"""What a piece of work takes on a machine, and what several in one process take together.

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
class Demand:
    """What one piece of work takes on a machine. What is not known is None, and so is any sum."""

    libraries: frozenset[str] = frozenset()
    kept: Mapping[str, int] = field(default_factory=dict)
    """Bytes that stay from then on, by what they are: the same model is there once."""
    loading_bytes: int = 0
    """On top while loading."""
    spared_bytes: int = 0
    """Of `loading_bytes`, what is done without where there is no room for it."""
    working_bytes: int | None = 0
    """On top while working."""
    staying_bytes: int = 0
    """Of `working_bytes`, what a CPU's heap keeps when it is done: other work comes on top. Of an
    embedder's batches all is measured to stay: `rag` and `rag_lora` took a fifth more than the
    larger of their two works."""
    wall_s: Span | None = (0.0, 0.0)
    """At the least and at the most."""
    loading_s: Mapping[str, Span] = field(default_factory=dict)
    """By what is loaded, likewise once."""
    charged_usd: float | None = 0.0
    """What a server charges for it."""
    says: tuple[str, ...] = ()
    """What a reader of the forecast should know."""
    unknown: tuple[str, ...] = ()
    """Why something of it is not known."""

    @property
    def full_bytes(self) -> int | None:
        """The most that it takes on top of what is kept."""
        return None if self.working_bytes is None else max(self.loading_bytes, self.working_bytes)

    @property
    def least_bytes(self) -> int | None:
        """The same without what is done without where there is no room."""
        if self.working_bytes is None:
            return None
        return max(self.loading_bytes - self.spared_bytes, self.working_bytes)


@dataclass(frozen=True)
class Phase:
    """What a process takes for all its work."""

    peak_bytes: int | None
    least_bytes: int | None
    """Without what is done without where there is no room."""
    on_gpu: bool
    """Whether that is memory of the GPU."""
    wall_s: Span | None
    charged_usd: float | None
    """What servers charge; nothing of the machine's own time."""
    idle: bool = False
    """There is no work: a process starts, and that is all."""
    says: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Why something is not known."""


def together(demands: Sequence[Demand], place: Place) -> Phase:
    """Return what a process takes that does one piece of work after another."""
    libraries = frozenset().union(*(demand.libraries for demand in demands))
    if "sentence_transformers" in libraries:
        libraries -= {"sklearn"}
    kept: dict[str, int] = {}
    loading: dict[str, Span] = {}
    for demand in demands:
        kept = {k: max(kept.get(k, 0), demand.kept.get(k, 0)) for k in {*kept, *demand.kept}}
        loading |= demand.loading_s
    on_gpu = place.device == "cuda" and "torch" in libraries
    base = 0 if on_gpu else PROCESS_BYTES + sum(LIBRARY_BYTES[name] for name in libraries)
    base += sum(kept.values())
    heap = max((demand.staying_bytes for demand in demands), default=0)
    # Work that leaves something on the heap takes the same memory again.
    beside = [0 if demand.staying_bytes else heap for demand in demands]
    imports = [IMPORT_S[name] for name in libraries]
    times = [*imports, *loading.values(), *(demand.wall_s for demand in demands)]
    return Phase(
        peak_bytes=_peak(base, [demand.full_bytes for demand in demands], beside),
        least_bytes=_peak(base, [demand.least_bytes for demand in demands], beside),
        on_gpu=on_gpu,
        wall_s=total_span(times),
        charged_usd=total([demand.charged_usd for demand in demands]),
        idle=not demands,
        says=tuple(dict.fromkeys(text for demand in demands for text in demand.says)),
        unknown=tuple(dict.fromkeys(text for demand in demands for text in demand.unknown)),
    )


def _peak(base: int, on_top: Sequence[int | None], beside: Sequence[int]) -> int | None:
    """Return the highest peak of work done one after another; None if one of them is not known."""
    if any(taken is None for taken in on_top):
        return None
    peaks = [
        taken + stays for taken, stays in zip(on_top, beside, strict=True) if taken is not None
    ]
    return base + max(peaks, default=0)


def total(figures: Iterable[float | None]) -> float | None:
    """Return the sum of figures, or None if one of them is not known: it is never taken for 0."""
    known: list[float] = []
    for figure in figures:
        if figure is None:
            return None
        known.append(figure)
    return sum(known, 0.0)


def total_span(spans: Iterable[Span | None]) -> Span | None:
    """Return the sum of times, or None if one of them is not known."""
    known: list[Span] = []
    for span in spans:
        if span is None:
            return None
        known.append(span)
    return added(known)


def added(spans: Iterable[Span]) -> Span:
    """Return the sum of times."""
    spans = list(spans)
    return sum(low for low, _ in spans), sum(high for _, high in spans)


def reading_s(size_bytes: int) -> Span:
    """Return how long so many bytes are read from a file: 2 GB/s at best, 200 MB/s at worst.

    Both are estimates.
    """
    return size_bytes / 2e9, size_bytes / 2e8
