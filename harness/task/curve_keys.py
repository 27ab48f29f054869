"""Keys of the task file that have arms prepared again from other training rows.

`curve`: from fewer; `noise`: with wrong labels; `augment`: with further rows made of them. Knows
the keys and what they must be; knows nothing of how rows are drawn (training_rows.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from harness.errors import Fault, unknown_name
from harness.files.yaml_source import Source
from harness.task.spec import Fraction, Spec
from harness.types import Split

ALL = "all"
SIZE = "must be a number of labelled rows above 0, or `all`"
WRITE_SIZES = "write e.g. [25, 50, 100, 200, all]"
PARAPHRASE = "paraphrase"
MOST_SIZES, MOST_REPEATS, MOST_FACTOR = 20, 20, 10
"""Above which a curve takes days and shows no more."""


def _size(value: Any) -> Any:
    if value == ALL or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise PydanticCustomError("curve_size", SIZE)


def _each_once(sizes: list[int | str]) -> list[int | str]:
    if len(set(sizes)) < len(sizes):
        raise PydanticCustomError("curve_sizes", "must name each size once")
    return sizes


Size = Annotated[Any, BeforeValidator(_size, json_schema_input_type=int | Literal["all"])]


class Curve(Spec):
    """Arms prepared from fewer labelled rows, to show what more labels are worth."""

    sizes: Annotated[
        list[Size], Field(min_length=1, max_length=MOST_SIZES), AfterValidator(_each_once)
    ]
    """Labelled rows, those of train and validation together in the task's own proportion; `all` is
    every one there is, which the arms' own trials have (it need not be named)."""
    repeats: int = Field(3, ge=1, le=MOST_REPEATS)
    """Draws of each size. Draw number r is trained with seed r."""
    arms: list[str] | None = Field(None, min_length=1)
    """None: every arm that learns from labels. One that learns from none needs no trial: what it
    scores is the same at every size."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Of the draws of rows."""

    def takes(self, arm: str) -> bool:
        """Tell whether an arm is named, by its own name or by that of its entry (`arm@model`)."""
        return self.arms is None or arm in self.arms or arm.split("@", maxsplit=1)[0] in self.arms

    @property
    def counts(self) -> tuple[int, ...]:
        """The sizes that are numbers, in ascending order."""
        return tuple(sorted(size for size in self.sizes if size != ALL))


class Augment(Spec):
    """Further training rows, made of those that there are; an arm is always run without, too."""

    factor: int = Field(2, ge=2, le=MOST_FACTOR)
    """Rows for each one that there is: 2 adds one to each."""
    kinds: list[Literal["typo", "paraphrase"]] = Field(["typo"], min_length=1)
    """By turns; which comes first for a row follows from its id. typo: slips of the finger in a
    fifth of the long words (Pruthi et al. 2019, arXiv 1905.11268). paraphrase: the same in other
    words, from the file `paraphrases`."""
    paraphrases: str | None = None
    """For `paraphrase`: the path of a file of rows with `id`, that of a training row, and `text`;
    several rows of one id are several paraphrases. `harness record TASK.yaml --arm ARM
    --paraphrases` has a model write it. No run asks for one."""


Noise = Fraction
"""Share of the training rows that are given another answer than theirs."""


def curve_faults(
    curve: Curve | None,
    source: Source,
    names: Sequence[str],
    splits: Mapping[str, Split],
) -> Iterator[Fault]:
    """Yield what is wrong with these keys on this task.

    Args:
        curve: as the task file has it.
        source: where its keys stand.
        names: of all arms, as the task file enters them and as they run.
        splits: with the rows that there are.
    """
    if curve is None:
        return
    n = len(splits["train"]) + len(splits["validation"])
    for place, size in enumerate(curve.sizes):
        if size != ALL and size >= n > 0:
            where = source.where(["curve", "sizes", place])
            what = f"{size:,} is not less than the {n:,} labelled rows that there are"
            yield Fault(where, what, "remove it, or write `all`")
    for place, name in enumerate(curve.arms or ()):
        if name not in names:
            where = source.where(["curve", "arms", place])
            fix = "write the name of an arm of `strategies`"
            yield Fault(where, unknown_name("arm", name, names), fix)
