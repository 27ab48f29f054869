"""What can be known of a task before a run: leaks, repeats, and what its size can show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from harness.store.finding import Finding, FindingSeverity
from harness.store.records import DataSummary
from harness.task.audit.answers import balance, said_of_answers
from harness.task.audit.clusters import Clusters, torn_apart
from harness.task.audit.copied_documents import copied_documents
from harness.task.audit.personal_data import personal_data
from harness.task.audit.repeated_inputs import RepeatedInputs
from harness.task.audit.strange_texts import strange_texts
from harness.task.audit.test_size import expectations
from harness.task.audit.within_texts import ids_within
from harness.task.corpus import FORMATS, Corpus
from harness.types import Example, Split
from harness.wording.sentences import counted

LEAKED = "test inputs in other splits"
"""The kind of exact leaks."""
SHOWN = 20
"""Documents left out, or kinds of files, that are named; of the rest the number."""


def data_summary(
    splits: Mapping[str, Split],
    clusters: Mapping[str, Clusters],
    corpus: Corpus,
    labels: Collection[str],
    margin: float,
    test_total_n: int,
) -> DataSummary:
    """Return sizes and hashes of the splits, and what is worth saying of them before a run.

    Args:
        splits: name to split, as arms will get them.
        clusters: split's name to the cluster of each of its rows.
        corpus: the documents; may be empty.
        labels: of a choice; empty for other answers.
        margin: as a share of the metric's range.
        test_total_n: test rows that the task has, of which a sample may be used.
    """
    repeated = RepeatedInputs(splits)
    return DataSummary(
        train_n=len(splits["train"]),
        validation_n=len(splits["validation"]),
        test_n=len(splits["test"]),
        test_total_n=test_total_n,
        sha256={name: split.sha256 for name, split in splits.items()},
        leaked_ids=repeated.leaked_ids(),
        findings=(
            *findings(repeated, corpus, labels),
            *torn_apart(clusters, [query.id for query in splits["test"].queries]),
        ),
        expectations=expectations(len(splits["test"]), margin, clusters["test"]),
    )


def findings(
    repeated: RepeatedInputs, corpus: Corpus, labels: Collection[str]
) -> tuple[Finding, ...]:
    """Return what is found in the data itself."""
    splits = repeated.splits
    found = [*_left_out(corpus), *_unread(corpus), *copied_documents(corpus.documents)]
    found += _out_of_reach(corpus, splits)
    leaked = repeated.leaked_ids()
    if leaked:
        shown = ", ".join(leaked[:5]) + (", …" if len(leaked) > 5 else "")
        text = (
            f"{len(leaked)} of {len(splits['test'])} test inputs also stand in train or validation"
            f" ({shown}); scores are given with and without them"
        )
        remedy = "take them out of train and validation"
        found.append(Finding.of(LEAKED, text, leaked, severity="severe", remedy=remedy))
    found += _in_documents(corpus, splits["test"])
    for name in splits:
        if repeats := repeated.inside(name):
            inputs = counted(repeats, "input")
            repeat = "repeats" if repeats == 1 else "repeat"
            text = f"{inputs} of {name} {repeat} an earlier one of {name}"
            grave: FindingSeverity = "warning" if name == "test" else "note"
            found.append(Finding(kind="repeated inputs", text=text, count=repeats, severity=grave))
    found += said_of_answers(repeated, labels)
    return (*found, *_of_texts(splits, bool(labels)), *(balance(splits) if labels else ()))


def _of_texts(splits: Mapping[str, Split], choice: bool) -> Iterator[Finding]:
    """Yield what is strange about inputs, and what should stand in no row."""
    for name, split in splits.items():
        queries = split.queries
        yield from strange_texts(name, [q.id for q in queries], [q.text for q in queries])
    rows = (row for split in splits.values() for row in split)
    yield from personal_data((row.query.id, _whole(row, choice)) for row in rows)


def _whole(row: Example, choice: bool) -> str:
    """Return all that a row holds, a text in each line."""
    return row.query.full_text if choice else "\n".join([row.query.full_text, *row.targets])


def _in_documents(corpus: Corpus, test: Split) -> list[Finding]:
    """Name the test rows whose whole input stands in a document: its answer may stand there too."""
    if not corpus.documents:
        return []
    ids = ids_within(test.queries, (document.text for document in corpus.documents))
    if not ids:
        return []
    text = (
        f"{len(ids)} of {len(test)} test inputs stand word for word in the documents"
        f" ({_listed(ids)}): if the answers stand beside them, arms that search or learn the"
        " documents see these answers"
    )
    remedy = "take such pages out of the corpus"
    return [
        Finding.of("test inputs in the documents", text, ids, severity="warning", remedy=remedy)
    ]


def _left_out(corpus: Corpus) -> list[Finding]:
    """Name the documents that were skipped, a finding for each reason."""
    total = len(corpus.documents) + len(corpus.skipped)
    places: dict[str, list[str]] = defaultdict(list)
    for skipped in corpus.skipped:
        places[skipped.why].append(skipped.where)
    said = {
        why: f"{len(names)} of {total} documents left out, {why}: {_listed(names)}"
        for why, names in places.items()
    }
    return [
        Finding.of("documents left out", said[why], names, severity="warning")
        for why, names in places.items()
    ]


def _unread(corpus: Corpus) -> list[Finding]:
    """Say which files of the corpus's folder nobody reads."""
    if not corpus.unread:
        return []
    kinds = _listed(corpus.unread)
    text = f"files of other formats in the corpus are not read ({kinds}): only {FORMATS} are"
    return [Finding(kind="files of other formats", text=text)]


def _listed(names: Sequence[str]) -> str:
    surplus = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {surplus} more" if surplus > 0 else "")


def _out_of_reach(corpus: Corpus, splits: Mapping[str, Split]) -> list[Finding]:
    """Say that documents are for groups of which nobody asks anything."""
    documents = corpus.documents
    closed = [document for document in documents if document.allow is not None]
    if not closed or any(query.groups for split in splits.values() for query in split.queries):
        return []
    text = (
        f"{len(closed)} of {len(documents)} documents are for groups only and no query has groups:"
        " nobody can be shown them"
    )
    ids = [document.id for document in closed]
    remedy = "name the column of groups in data.groups"
    return [Finding.of("documents for nobody", text, ids, severity="warning", remedy=remedy)]
