"""Cuts the rows of one file into train, validation and test.

The sizes come first: the shares of all rows by the largest remainder (Hamilton's method), so that
hundreds of labels with few rows each are cut by the same shares as two labels with many. Knows the
columns that say which rows belong together; knows nothing of targets' validity or of strategies.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Generic, TypeVar

from harness.task.rows import Row
from harness.task.same_input import input_key
from harness.task.schema import Data
from harness.task.split_spec import SplitSpec

SPLITS = ("train", "validation", "test")
CUT_FIRST = ("test", "validation")
"""What is left is train."""


T = TypeVar("T")


@dataclass(frozen=True)
class Unit(Generic[T]):
    """Rows that must stay on one side."""

    rank: bytes
    """Hash of what they share and the seed: their place among the units of their stratum."""
    stratum: str
    rows: tuple[T, ...]

    @property
    def size(self) -> int:
        """How many rows they are."""
        return len(self.rows)


def cut(
    rows: Sequence[Row], data: Data, shares: SplitSpec, *, by_target: bool
) -> dict[str, list[Row]]:
    """Cut rows into train, validation and test, stratified by target where `by_target`.

    Rows with the same input (text and visible fields) stay together; where `data.cluster` names a
    column, rows of one cluster do instead. Where each of these is one row, the sizes are the shares
    of all rows to within one row, and so are those of each label as far as its rows allow; else
    they are as near as whole clusters come. The cut depends on inputs and seed alone: not on the
    order of rows, and rows added later move few of the others.
    """
    units = _units(rows, data, shares.seed, by_target=by_target)
    left: dict[str, list[Unit[Row]]] = defaultdict(list)
    for unit in units:
        left[unit.stratum].append(unit)
    quotas = _quotas({name: sum(unit.size for unit in some) for name, some in left.items()}, shares)
    parts: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for split in CUT_FIRST:
        for unit in taken(left, quotas[split]):
            parts[split].extend(unit.rows)
    parts["train"] = [row for some in left.values() for unit in some for row in unit.rows]
    return parts


def empty_shares(
    parts: Mapping[str, Sequence[Row]], data: Data, shares: SplitSpec
) -> Iterator[tuple[str, str, str]]:
    """Yield (split, what is wrong, remedy) for each share that got no row and that was asked for.

    A share that nobody wrote is none that is missed: three rows need no validation rows.
    """
    n = sum(map(len, parts.values()))
    for split in CUT_FIRST if n else ():
        share = getattr(shares, split)
        if parts[split] or not share or split not in shares.model_fields_set:
            continue
        smallest = _smallest(parts["train"], data, shares.seed)
        what = f"{share:g} of {n} rows is {share * n:.1f}, and no row came into {split}"
        if smallest > 1:
            what += f": the smallest rows that belong together are {smallest}"
        enough = ceil(100 * smallest / n) / 100 if smallest else 1.0
        others = sum(getattr(shares, name) for name in CUT_FIRST if name != split)
        fixes = [f"write at least {enough:g}"] if enough + others < 1 else []
        fixes += ["write 0 to go without"] if split == "validation" else []
        yield split, what, ", or ".join([*fixes, "add rows"])


def _smallest(rows: Sequence[Row], data: Data, seed: int) -> int:
    return min((unit.size for unit in _units(rows, data, seed, by_target=False)), default=0)


def _units(rows: Sequence[Row], data: Data, seed: int, *, by_target: bool) -> list[Unit[Row]]:
    """Return the rows that must stay together, those of each stratum in the order of their rank."""
    together: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        together[shared(row, data)].append(row)
    units = []
    for key, some in together.items():
        stratum = _stratum(some, data) if by_target else ""
        rank = hashlib.sha256(f"{seed}:{key}".encode(errors="surrogatepass")).digest()
        units.append(Unit(rank, stratum, tuple(some)))
    return sorted(units, key=lambda unit: unit.rank)


def _stratum(rows: Sequence[Row], data: Data) -> str:
    """Return the most frequent label of some rows."""
    if len(rows) == 1:  # nearly all inputs stand once: of a million rows it counts
        return _label(rows[0], data)
    labels = Counter(_label(row, data) for row in rows)
    return min(labels, key=lambda label: (-labels[label], label))


def shared(row: Row, data: Data) -> str:
    """Return what is the same for rows that must stay together: their cluster, else their input."""
    cluster = row.values.get(data.cluster) if data.cluster else None
    if cluster is not None:
        return f"cluster {cluster}"
    fields = {column: row.values.get(column) for column in data.visible}
    return input_key(str(row.values.get(data.input, row.where)), fields)


def _label(row: Row, data: Data) -> str:
    return unicodedata.normalize("NFC", str(row.values.get(data.target)))


def _quotas(sizes: Mapping[str, int], shares: SplitSpec) -> dict[str, dict[str, int]]:
    """Return how many rows of each stratum each split gets: its share, rounded down or up.

    All splits' totals come by the largest remainder, then each split's row too many by stratum.
    """
    exact = _exact(shares)
    sums = totals(sum(sizes.values()), shares)

    # A stratum's rows beyond its rounded-down shares: each goes to a split of its own.
    over = {
        name: size - sum(floor(size * share) for share in exact.values())
        for name, size in sizes.items()
    }
    quotas: dict[str, dict[str, int]] = {}
    for split in CUT_FIRST:
        wanted = {name: exact[split] * size for name, size in sizes.items()}
        quotas[split] = {name: floor(share) for name, share in wanted.items()}
        missing = sums[split] - sum(quotas[split].values())
        later = 1 if split == "test" else 0  # splits besides train that may still take one
        order = sorted(
            sizes,
            key=lambda name: (
                over[name] == 0,
                over[name] <= later + 1,  # two rows cannot both go to train
                quotas[split][name] - wanted[name],
                hashlib.sha256(f"{shares.seed}:{split}:{name}".encode()).digest(),
            ),
        )
        for name in order[:missing]:
            quotas[split][name] += 1
            over[name] -= 1
    return quotas


def totals(n: int, shares: SplitSpec) -> dict[str, int]:
    """Return how many of n rows each split gets by its share."""
    return _largest_remainder({split: share * n for split, share in _exact(shares).items()}, n)


def _exact(shares: SplitSpec) -> dict[str, Fraction]:
    """Return each split's share as it is written, without what floating point adds."""
    exact = {split: Fraction(str(getattr(shares, split))) for split in CUT_FIRST}
    return exact | {"train": 1 - exact["test"] - exact["validation"]}


def _largest_remainder(wanted: Mapping[str, Fraction], n: int) -> dict[str, int]:
    """Round shares that add up to n so that they still do (Hamilton's method)."""
    rounded = {name: floor(share) for name, share in wanted.items()}
    order = sorted(wanted, key=lambda name: rounded[name] - wanted[name])
    for name in order[: n - sum(rounded.values())]:
        rounded[name] += 1
    return rounded


def taken(left: Mapping[str, list[Unit[T]]], quotas: Mapping[str, int]) -> list[Unit[T]]:
    """Take units out of `left`, as near to the quotas as whole units come.

    What a stratum's units leave open or take too much, the next stratum makes up for.
    """
    found: list[Unit[T]] = []
    missing = 0
    for name in sorted(quotas):
        missing += quotas[name]
        missing = _take(left[name], missing, found)
    for units in left.values():  # a smaller unit may be left where the quota was met
        missing = _take(units, missing, found)
    return found


def _take(units: list[Unit[T]], missing: int, found: list[Unit[T]]) -> int:
    """Move units in their order to `found` as long as each brings it nearer; return the rest."""
    for beyond in (False, True):  # what fits first; then one that goes beyond by less than is open
        rest = []
        for at, unit in enumerate(units):
            if missing < 1:  # the others stay
                rest += units[at:]
                break
            if unit.size <= missing or (beyond and unit.size < 2 * missing):
                found.append(unit)
                missing -= unit.size
            else:
                rest.append(unit)
        units[:] = rest
    return missing
