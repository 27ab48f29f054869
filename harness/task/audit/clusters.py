"""Rows that belong together: whether the splits keep them together, and how much they tell.

Knows nothing of inputs or targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness.store.finding import Finding

Clusters = Sequence[str | None]
"""The cluster of each row of a split; None where the task names no column of clusters."""
SHOWN = 5
"""Clusters that are named."""


def torn_apart(clusters: Mapping[str, Clusters], ids: Sequence[str]) -> Iterator[Finding]:
    """Say which clusters stand in test and in train or validation too.

    Args:
        clusters: split's name to the cluster of each of its rows.
        ids: of the test rows, in the same order.
    """
    test = Counter(cluster for cluster in clusters["test"] if cluster is not None)
    seen = {one for name, some in clusters.items() if name != "test" for one in some}
    torn = [cluster for cluster in test if cluster in seen]
    if torn:
        named = ", ".join(torn[:SHOWN]) + (", …" if len(torn) > SHOWN else "")
        rows = [
            row_id
            for row_id, cluster in zip(ids, clusters["test"], strict=True)
            if cluster is not None and cluster in seen
        ]
        yield Finding.of(
            "clusters on both sides",
            f"{len(torn)} of {len(test)} test clusters ({named}), with {len(rows)} of"
            f" {len(clusters['test'])} test rows, also stand in train or validation: scores are"
            " better there than on new clusters",
            rows,
            severity="severe",
            remedy="move a cluster's rows into one split, or cut one file by data.all and split,"
            " which keeps them together",
        )


def independent_rows(clusters: Clusters) -> float:
    """Return how many independent rows the rows tell as much as, if those of a cluster are alike.

    A mean of n rows in clusters of n_c has then the error of n² / Σ n_c² rows (Kish 1965, "Survey
    Sampling", section 8.2, at an intraclass correlation of 1).
    """
    sizes = Counter(
        ("", number) if cluster is None else ("cluster", cluster)
        for number, cluster in enumerate(clusters)
    ).values()
    return len(clusters) ** 2 / sum(size**2 for size in sizes) if sizes else 0.0
