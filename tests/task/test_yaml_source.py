"""A YAML file is read by YAML 1.2, and whatever is wrong with it is told with its line."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import TaskError
from harness.files.yaml_source import Source


def source_of(folder, text) -> Source:
    path = folder / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source(path, "write it")


def faults_in(folder, text):
    try:
        keys = source_of(folder, text).value
    except TaskError as problem:
        return problem.faults
    return [] if all(isinstance(key, str) for key in keys) else [None]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("1e-5", 1e-5),
        ("010", 10),
        ("0o10", 8),
        ("12:30", "12:30"),
        ("~", None),
        ("'1'", "1"),
        ("{1: a, no: b}", {"1": "a", "no": "b"}),
        (
            "{01: a, 1.10: b, 1.1: c, true: d, ~: e}",
            dict(zip(["01", "1.10", "1.1", "true", "~"], "abcde", strict=True)),
        ),
        ("{a: 1, <<: {a: 2, b: 3}}", {"a": 1, "b": 3}),
        (">-\n  two\n  lines", "two lines"),
        ('"\\U0001F600"', "😀"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path, written, value):
    read = source_of(tmp_path, f"key: {written}\n").value["key"]
    assert read == value
    assert type(read) is type(value)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    assert source_of(tmp_path, "\ufeffkey: 1\n").value == {"key": 1}


def test_a_place_is_the_line_of_the_deepest_key_that_exists(tmp_path):
    source = source_of(tmp_path, "a: 1\nb:\n  c:\n    - x\n    - y\n  1: z\n")
    lines = {
        1: ["a"],
        2: ["b"],
        3: ["b", "c"],
        5: ["b", "c", 1],
        6: ["b", "1"],
    }
    for line, keys in lines.items():
        dotted = ".".join(map(str, keys))
        assert source.where(keys) == f"{source.path}:{line} {dotted}"
    assert source.where(["b", "missing"]) == f"{source.path}:2 b.missing"
    assert source.where(["b", "c", 9]) == f"{source.path}:3 b.c.9"
    assert source.where([]) == f"{source.path}:1"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\na: 2\n", 2, "duplicate key"),
        ("a: 1\nb: [1, 2\n", 3, "expected"),
        ("a:\n\t- b\n", 2, "\\t"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: 1\nb: x\x01y\n", 2, "\\x01"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ("b: 1\na: 2024-99-99\n", 2, "month"),
        ("a: !!int x\n", 1, "invalid literal"),
        ("a: " + "9" * 5000, 1, "digits"),
        ("a: " + "[" * 600, None, "YAML"),
        ('a: "\\uD800"\n', None, "surrogates"),
        ("", None, "mapping"),
        ("- a\n", None, "mapping"),
        ("word", None, "mapping"),
    ],
)
def test_a_file_that_is_not_a_yaml_mapping_is_refused_with_its_line(tmp_path, text, line, word):
    with pytest.raises(TaskError) as caught:
        source_of(tmp_path, text)
    (fault,) = caught.value.faults
    where = str(tmp_path / "some.yaml")
    assert fault.where.split(" ")[0] == (where if line is None else f"{where}:{line}")
    assert word in fault.what


def test_a_missing_file_and_a_folder_are_refused_with_a_remedy(tmp_path):
    for path, word in [(tmp_path / "none.yaml", "no such file"), (tmp_path, "folder")]:
        with pytest.raises(TaskError, match=word) as caught:
            Source(path, "write it")
        assert caught.value.faults[0].fix


def test_no_code_runs_from_a_tag(tmp_path):
    text = f'a: !!python/object/apply:pathlib.Path.touch ["{tmp_path}/ran"]\n'
    assert source_of(tmp_path, text).value["a"] == [f"{tmp_path}/ran"]
    assert not (tmp_path / "ran").exists()


@given(st.one_of(st.binary(max_size=60), st.text(":-?&*!{}[]|>'\"#%@ \nab1.~\\", max_size=60)))
@example("? [a, b]\n: 1\n")
@example("a: &x [*x]")
@example("a: &x {b: *x}")
@example("<<: 1")
@example("a: !!set {b}")
@example("a: !!binary x")
@example("a: !!timestamp x")
@example("a: !!float x")
@example("%YAML 9.9\n---\na: 1")
@example('a: "\\UFFFFFFFF"')
def test_any_bytes_are_a_mapping_or_faults_of_that_file(text):
    with tempfile.TemporaryDirectory() as folder:
        for fault in faults_in(Path(folder), text):
            assert fault.where.startswith(folder)
            assert fault.what
