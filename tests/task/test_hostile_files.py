"""Files that mean no good: each is refused with a line, left out with a reason, or read right.

None may hang (the limit of a test is pytest's), and none ends the process. What needs much memory
is read in one child under a limit, since a limit of this process would be all tests'.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from command_line import harness
from task_folder import KEYS, data, faults_of, jsonl, rows, task_text, write

from harness.files.bounded import has_short_lines
from harness.files.cpu_limit import OverdueError, cpu_limit
from harness.task import load_task
from harness.task.corpus import corpus as reading
from harness.task.corpus.corpus import read_corpus
from harness.task.corpus.skipped import DAMAGED, EMPTY, LEAVES, LINKED_FOLDER, NO_FILE, TOO_LARGE

pytestmark = pytest.mark.timeout(120)
HUGE = 10**6


@pytest.fixture(autouse=True)
def left(tmp_path, record_property):
    """Say in a test's result where its task lies; benchmarks/faults.py measures `check` of it."""
    record_property("folder", str(tmp_path))


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


def pipe(file):
    os.mkfifo(file)


def listens(file):
    with socket.socket(socket.AF_UNIX) as place:
        os.chdir(file.parent)  # a socket's path is short
        place.bind(file.name)


def linked(target):
    return lambda file: file.symlink_to(target)


def loop(file):
    file.symlink_to(file.name)


def away(file):
    """A link to a file like the one that stood there, in another folder."""
    elsewhere = file.parent.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / file.name).write_text("secret")
    file.symlink_to(elsewhere / file.name)


NO_FILES = {
    "a pipe": (pipe, "it is a pipe"),
    "a socket": (listens, "it is a socket"),
    "zeros without end": (linked("/dev/zero"), "that leaves|it is a device"),
    "a terminal": (linked("/dev/tty"), "that leaves|it is a device"),
    "standard input": (linked("/dev/stdin"), "that leaves|it is a pipe|it is a device"),
    "the kernel's memory": (linked("/proc/kcore"), "that leaves|larger"),
    "a file elsewhere": (away, "that leaves"),
    "a link to itself": (loop, "symbolic links|no such|that leaves"),
    "a folder": (Path.mkdir, "folder|director|no text"),
    "nothing": (linked("nowhere"), "No such file|no such"),
}
ROLES = {
    "rows": ("test.jsonl", {}),
    "labels": ("labels.json", {"answer": {"kind": "choice", "labels": "labels.json"}}),
    "schema": ("schema.json", {"answer": {"kind": "json", "schema": "schema.json"}, "metric": "x"}),
    "prices": ("prices.yaml", {"prices": "prices.yaml"}),
    "corpus": ("documents.jsonl", {"data": data(corpus="documents.jsonl")}),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", NO_FILES)
def test_what_is_no_file_of_the_task_is_refused(tmp_path, monkeypatch, role, what):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "task"
    folder.mkdir()
    name, changes = ROLES[role]
    if "metric" in changes:
        changes = {**changes, "metric": "exact_match"}
    path = write(folder, task_text(**changes))
    (folder / name).unlink(missing_ok=True)
    make, said = NO_FILES[what]
    make(folder / name)
    told = [str(fault) for fault in faults_of(path)]
    assert any(word in line for line in told for word in said.split("|")), told


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/stdin", "/dev/random", "/proc/kcore"])
def test_a_device_that_is_named_is_refused(tmp_path, device):
    path = write(tmp_path, task_text(data=data(test=f"{device}")))
    assert faults_of(path)
    (tmp_path / "rows.jsonl").symlink_to(device)
    assert faults_of(write(tmp_path, task_text(data=data(test=f"{tmp_path}/rows.jsonl"))))


def test_a_path_that_leaves_by_its_text_is_read(tmp_path):
    (tmp_path / "task").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/test.jsonl").write_text(jsonl(rows("test", 6)))
    for test in ("../shared/test.jsonl", f"{tmp_path}/shared/test.jsonl"):
        assert faults_of(write(tmp_path / "task", task_text(data=data(test=test)))) == []


def nested(open_, close, depth=100_000):
    return open_ * depth + close * depth


def choice(labels):
    return task_text(answer={"kind": "choice", "labels": labels})


TASK_FILES = {
    "a billion laughs": (KEYS and task_text() + LAUGHS, "more than 200,000 values"),
    "a loop of aliases": (task_text(name=None) + "name: &a [*a]\n", "alias|recursion"),
    "nested lists": (task_text() + "x: " + nested("[", "]"), "nested too deeply"),
    "nested mappings": (task_text() + "x: " + nested("{a: ", "}", 10_000), "nested too deeply"),
    "nested indentation": (
        task_text() + "".join(" " * n + "a:\n" for n in range(600)),
        "nested too deeply",
    ),
    "open brackets": (task_text() + "x: " + "[" * HUGE, "nested too deeply|KiB"),
    "an anchor given twice": (task_text(seeds=None) + "seeds: [&a 1, &a 2, 3]\n", None),
    "a merge of a merge": (task_text() + "x: &x {<<: *x}\n", "alias|recursion|x"),
    "fifty megabytes": (task_text() + "#" * 50 * HUGE, "larger than 256 KiB"),
    "many documents": (task_text() + "---\na: 1\n" * 1000, "document"),
    "a tag that builds": (task_text() + "x: !!python/object/apply:os.system ['true']\n", "x"),
    "10,000 arms": (
        task_text(strategies=[{"use": "majority", "name": f"a{n}"} for n in range(10_000)]),
        "at most 1000 items|larger than 256 KiB",
    ),
    "a name of 10 kB": (task_text(name="a" * 10_000), "at most 100 characters"),
    "an arm of 10 kB": (
        task_text(strategies=[{"use": "majority", "name": "a" * 10_000}]),
        "at most 100 characters",
    ),
    "a path of 10 kB": (task_text(data=data(test="a" * 10_000 + ".jsonl")), "too long"),
    "a corpus' path of 10 kB": (task_text(data=data(corpus="a" * 10_000)), "no such"),
    "a path with a NUL": (task_text(data=data(corpus="a\0b")), "no such|NUL|null"),
    "a label of 10 kB": (choice(["a", "b", "c" * 10_000]), None),
    "a thousand arms": (
        task_text(strategies=[{"use": "majority", "name": f"a{n}"} for n in range(1001)]),
        "at most 1000 items",
    ),
    "100,000 labels": (
        choice([f"label {n}" for n in range(30_000)]),
        "more than a choice can|larger than",
    ),
    "a thousand seeds": (task_text(seeds=list(range(1000))), "at most 100 items"),
    "a seed of 400 digits": (task_text() + "seeds: [1" + "0" * 400 + "]\n", "less than"),
    "a seed below 0": (task_text(seeds=[-1]), "greater than or equal to 0"),
    "a number of 5,000 digits": (task_text() + "margin: 1" + "0" * 5000 + "\n", "digits|valid"),
    "1e400": (task_text() + "run: {timeout_min: 1e400}\n", "finite"),
    "not a number": (task_text() + "margin: .nan\n", "finite|less|greater"),
    "a hexadecimal of 5 kB": (task_text() + "margin: 0x" + "f" * 5000 + "\n", "digits"),
    "base 60": (task_text() + "margin: " + ":".join(["59"] * 900) + "\n", "margin"),
    "control characters": (task_text() + "x: \x07\n", "does not allow"),
    "a key of 100 kB": (task_text() + "? " + "k" * 100_000 + "\n: 1\n", "k"),
}


@pytest.mark.parametrize("what", TASK_FILES)
def test_a_task_file_is_refused_or_read_right(tmp_path, what):
    text, said = TASK_FILES[what]
    told = [str(fault) for fault in faults_of(write(tmp_path, text))]
    if said is None:
        assert told == []
        done = harness("run", tmp_path / "task.yaml", "--out", tmp_path / "run")
        assert done.returncode == 0, done.stderr  # what `check` passes, `run` does not die on
    else:
        assert any(word in line for line in told for word in said.split("|")), told
        assert all(len(line) < 2100 for line in told)


def row(label="a", text="words"):
    return json.dumps({"id": "x", "text": text, "label": label})


ROW_FILES = {
    "nested lists": ("test.jsonl", '{"text": ' + nested("[", "]") + "}", "JSON"),
    "nested objects": ("test.jsonl", nested('{"a":', "}"), "JSON"),
    "an array of arrays": ("test.json", nested("[", "]"), "JSON"),
    "open brackets": ("test.json", "[" * HUGE, "JSON"),
    "a number beyond floats": ("test.jsonl", '{"id": "x", "text": 1e400, "label": "a"}', "text"),
    "a number of 5,000 digits": (
        "test.jsonl",
        '{"id": "x", "text": 1' + "0" * 5000 + ', "label": "a"}',
        "digits",
    ),
    "a number of 4,000 digits": (
        "test.jsonl",
        '{"id": "x", "text": 1' + "0" * 4000 + ', "label": "a"}',
        None,
    ),
    "infinity": ("test.jsonl", '{"id": "x", "text": Infinity, "label": "a"}', "text"),
    "a text of 17 MB": ("test.jsonl", row(text="a" * 17 * 2**20), "more than 16,777,216"),
    "a line of 65 MB": ("test.jsonl", "a" * 65 * 2**20, "a line of more than 64 MiB"),
    "a cell of 17 MB": (
        "test.csv",
        "text,label\n" + "a" * 17 * 2**20 + ",a\n",
        "a cell has more than",
    ),
    "a cell over lines": (
        "test.csv",
        'text,label\n"' + "abc\n" * 5 * 2**20 + '",a\n',
        "a cell has more than",
    ),
    "a quote that never closes": ("test.csv", 'text,label\n"a,a\n' + "b,a\n" * 10**5, "closes"),
    "100,000 columns": (
        "test.csv",
        "text,label," + ",".join(f"c{n}" for n in range(10**5)) + "\na,a\n",
        "columns",
    ),
    "no line but ends": ("test.csv", "text,label\n" + "\r" * HUGE, "no rows"),
    "zeros": ("test.jsonl", "\0" * HUGE, "JSON"),
    "a key a million times": (
        "test.jsonl",
        '{"id": "x", ' + '"text": "a", ' * 20_000 + '"label": "a"}',
        "stands twice",
    ),
    "open quotes": ("test.jsonl", '{"a": "' * 100_000, "JSON"),
    "backslashes": ("test.jsonl", '{"text": "' + "\\" * HUGE, "JSON"),
    "blank lines": ("test.jsonl", "\n" * HUGE, "no rows"),
    "open braces": ("test.jsonl", "{" * HUGE, "JSON"),
    "combining marks": ("test.jsonl", row(text="a" + "\u0301" * 200_000), None),
}


@pytest.mark.parametrize("what", ROW_FILES)
def test_a_file_of_rows_is_refused_or_read_right(tmp_path, what):
    name, content, said = ROW_FILES[what]
    path = write(tmp_path, task_text(data=data(test=name)))
    (tmp_path / name).write_text(content, encoding="utf-8")
    told = [str(fault) for fault in faults_of(path)]
    if said is None:
        assert told == []
        done = harness("run", path, "--out", tmp_path / "run")
        assert done.returncode == 0, done.stderr
    else:
        assert any(word in line for line in told for word in said.split("|")), told
        assert all(len(line.encode()) < 2100 for line in told)


def schema_of(**part):
    return json.dumps({"type": "object", "properties": {"a": {"type": "string", **part}}})


SCHEMAS = {
    "nested": ('{"properties": ' * 5000 + "{}" + "}" * 5000, "nested|recursion|JSON"),
    "nested a little": ('{"properties": {"a": ' * 20 + "{}" + "}}" * 20, None),
    "nested more": ('{"properties": {"a": ' * 200 + "{}" + "}}" * 200, "nested too deeply"),
    "a reference to itself": ('{"$ref": "#"}', "itself"),
    "a reference elsewhere": ('{"$ref": "file:///etc/passwd"}', "which is not in it|refer"),
    "a pattern without end": (schema_of(pattern="^(a+)+$"), "takes more than|pattern"),
    "alternatives without end": (schema_of(pattern="^(a|a)*$"), "takes more than|pattern"),
    "a pattern that is none": (schema_of(pattern="("), "pattern|cannot be read|regex"),
    "a property's pattern": (
        json.dumps({"patternProperties": {"^(a+)+$": {"type": "string"}}}),
        None,
    ),
    "100,000 values": (schema_of(enum=[f"v{n}" for n in range(100_000)]), "enum|not one of"),
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_is_refused_or_holds(tmp_path, monkeypatch, what):
    monkeypatch.setattr("harness.metrics.objects.PATTERNS_S", 0.3)
    schema, said = SCHEMAS[what]
    answers = [
        {"id": f"{n}", "text": "t", "label": json.dumps({"a": "a" * 40 + "b"})} for n in range(3)
    ]
    answer = {"kind": "json", "schema": "schema.json"}
    path = write(
        tmp_path, task_text(answer=answer, metric="exact_match"), schema_json=schema,
        train_jsonl=answers, test_jsonl=[{**one, "id": f"t{one['id']}"} for one in answers],
    )  # fmt: skip
    told = [str(fault) for fault in faults_of(path)]
    if said is None:
        assert told == []
    else:
        assert any(word in line for line in told for word in said.split("|")), told


def bomb(size=300 * 2**20):
    """A PDF whose one page says hundreds of times more than the file holds."""
    packed = zlib.compress(b"BT (a) Tj ET " * (size // 13), 9)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    ]  # fmt: skip
    return finished(parts)


def finished(parts):
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return body + head + table + end % (len(parts) + 1, len(body))


def pages(kids):
    return finished([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 9>>" % kids])


def slow(reason="slow"):
    return lambda why: why.startswith(reason)


DOCUMENTS = {
    "tables in tables.html": ("<table>" * 30_000, "slow"),
    "cells in tables.html": ("<table><tr><td>" * 13_000, "slow"),
    "text in tables.html": ("<table><td>a" * 16_000, "slow"),
    "open tags.html": ("<a " * 60_000, "slow"),
    "open comments.html": ("<!--" * 50_000, "slow"),
    "open quotes.html": ('<a b="' * 40_000, "slow"),
    "tags in tags.html": ("<a<" * 60_000, "slow"),
    "a million tags.html": ("<b>" * HUGE, TOO_LARGE),
    "instructions.html": ("<?" * 50_000, None),
    "deep.html": ("<div>" * 20_000 + "words", None),
    "a wide row.html": ("<table><tr>" + "<td>a</td>" * 10_000, None),
    "a column of 1,000.html": ("<table>" + "<tr><td colspan=1000>a</td></tr>" * 100, None),
    "a bomb.pdf": (bomb(), f"slow|{DAMAGED}|{TOO_LARGE}|{EMPTY}"),
    "pages in pages.pdf": (pages(b"2 0 R"), f"slow|{DAMAGED}|{EMPTY}"),
    "pages again and again.pdf": (pages(b"2 0 R " * 1000), f"slow|{DAMAGED}|{EMPTY}"),
    "half a file.pdf": (bomb(10**6)[:500], f"{DAMAGED}|{EMPTY}"),
    "arrays.pdf": (finished([b"[" * 100_000 + b"]" * 100_000]), f"slow|{DAMAGED}"),
    "larger than text.txt": ("a" * (16 * 2**20 + 1), TOO_LARGE),
    "one long line.md": ("a" * HUGE, None),
    "quotations.md": ("> " * 20 + "a\n" * 20_000, None),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_left_out_with_its_reason_or_read(tmp_path, monkeypatch, name):
    content, said = DOCUMENTS[name]
    if said is not None:  # what can be read may take its time on a busy machine
        monkeypatch.setattr(reading, "READING_S", 1.5)
    documents = tmp_path / "documents"
    documents.mkdir()
    write(tmp_path, task_text(data=data(corpus="documents")))
    (documents / "good.txt").write_text("words")
    (documents / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = []
    corpus = read_corpus(documents, faults)
    assert faults == []
    assert "good" in {document.id for document in corpus.documents}
    (why,) = [skipped.why for skipped in corpus.skipped] or [None]
    if said is None:
        assert why is None
        assert len(corpus.documents) == 2
    else:
        assert why is not None
        assert any(why.startswith(word) for word in said.split("|")), why


def test_links_pipes_and_devices_of_a_corpus_are_left_out(tmp_path):
    corpus, elsewhere = tmp_path / "corpus", tmp_path / "elsewhere"
    (corpus / "inner").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret.md").write_text("secret")
    (corpus / "good.md").write_text("words")
    (corpus / "again.md").symlink_to("good.md")
    (corpus / "inner/up.md").symlink_to("../../elsewhere/secret.md")
    (corpus / "all").symlink_to(elsewhere)
    (corpus / "round").symlink_to(corpus)
    (corpus / "inner/round.md").symlink_to("round.md")
    (corpus / "zeros.txt").symlink_to("/dev/zero")
    os.mkfifo(corpus / "waits.html")
    (corpus / "folder.pdf").mkdir()
    write(tmp_path, task_text(data=data(corpus="corpus")))
    faults = []
    found = read_corpus(corpus, faults)
    assert [document.id for document in found.documents] == ["again", "good"]
    assert {(one.where, one.why) for one in found.skipped} == {
        ("all", LINKED_FOLDER), ("round", LINKED_FOLDER), ("inner/up.md", LEAVES),
        ("zeros.txt", LEAVES), ("waits.html", NO_FILE),
    }  # fmt: skip
    wrong = [str(corpus / "folder.pdf"), str(corpus / "inner/round.md")]
    assert [fault.where for fault in faults] == wrong


def test_a_block_gets_so_much_of_the_cpus_time_and_no_more():
    with cpu_limit(60):
        pass
    with pytest.raises(OverdueError, match=r"more than 0\.1 s"), cpu_limit(0.1):
        re.match("(a+)+$", "a" * 40 + "b")
    with pytest.raises(OverdueError), cpu_limit(0.1):
        _catches_all()


def _catches_all():
    while True:  # a library that catches all it can is told again
        try:
            re.match("(a+)+$", "a" * 40 + "b")
        except Exception:
            continue


def test_lines_are_measured_across_blocks(tmp_path):
    file = tmp_path / "lines"
    block = 2**20
    for text, most, fits in [
        ("", block, True), ("a" * block, block, True), ("a" * block + "b", block, False),
        ("a" * block + "\n" + "b" * block, block, True), ("\n" * 9, block, True),
        ("a" * (block + 1) + "\n", block, False),
        ("ab\n" + "c" * 2 * block + "\nd", 2 * block, True),
        ("ab\n" + "c" * 2 * block + "\nd", 2 * block - 1, False),
    ]:  # fmt: skip
        file.write_text(text)
        assert has_short_lines(file, most) is fits


LARGE = """
import resource, sys
from pathlib import Path
from harness.errors import TaskError
from harness.task import load_task
resource.setrlimit(resource.RLIMIT_AS, (2**30 + 2**29, 2**30 + 2**29))
for path in sys.argv[1:]:
    try:
        load_task(Path(path))
        print("read")
    except TaskError as problem:
        print(str(problem)[:300])
"""


def test_what_would_take_gigabytes_is_refused_within_one(tmp_path):
    # A process: a limit of memory is a process's own. The address space of libraries is in it too.
    paths = []
    for name, file in [("line", "test.jsonl"), ("cell", "test.csv"), ("yaml", "task.yaml")]:
        folder = tmp_path / name
        folder.mkdir()
        test = "test.csv" if name == "cell" else "test.jsonl"
        paths.append(write(folder, task_text(data=data(test=test))))
        with (folder / file).open("ab") as stream:
            stream.truncate(2**30)  # a hole: zeros that take no room on the disk
    done = subprocess.run(
        [sys.executable, "-c", LARGE, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert "a line of more than 64 MiB" in done.stdout.splitlines()[0]
    assert "larger than 256 KiB" in done.stdout.splitlines()[2]


def test_ordinary_tasks_load(tmp_path):
    assert load_task(write(tmp_path)).spec.name == "small"
