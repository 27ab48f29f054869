"""Price files: rows that cite their source, and apply only to the machine they stand for."""

from datetime import date
from pathlib import Path

import pytest

from harness.errors import TaskError
from harness.prices import read_prices
from harness.records import Machine

ROW = """\
machines:
  - name: small
    usd_per_hour: 0.08
    source: https://example.org/prices
    read_on: 2026-01-02
    stands_for: {cores: 2}
"""


def prices_of(folder, text=ROW):
    path = folder / "prices.yaml"
    path.write_text(text)
    return read_prices(path)


def machine(**changes):
    known = {"cpu_model": "AMD EPYC 7R13", "cores": 2, "memory_bytes": 2**33, "gpu": None}
    return Machine(**known | {"os": "Linux", "python": "3.12"} | changes)


def test_a_row_is_read_with_its_source_and_date(tmp_path):
    (row,) = prices_of(tmp_path).machines
    assert (row.name, row.usd_per_hour, row.read_on) == ("small", 0.08, date(2026, 1, 2))


@pytest.mark.parametrize(
    ("stands_for", "measured", "applies"),
    [
        ("{cores: 2}", {}, True),
        ("{cores: 4}", {}, False),
        ("{cpu_model: epyc}", {}, True),
        ("{cpu_model: xeon}", {}, False),
        ("{cpu_model: epyc, cores: 4}", {}, False),
        ("{cores: 2}", {"gpu": "NVIDIA L4"}, False),
        ("{gpu: l4}", {"gpu": "NVIDIA L4"}, True),
        ("{gpu: l4}", {"gpu": "NVIDIA H200"}, False),
        ("{gpu: l4}", {}, False),
        ("{}", {}, True),
        ("~", {}, False),
    ],
)
def test_a_price_applies_only_where_every_given_key_matches(
    tmp_path, stands_for, measured, applies
):
    prices = prices_of(tmp_path, ROW.replace("{cores: 2}", stands_for))
    assert (prices.for_machine(machine(**measured)) is not None) is applies


def test_the_first_row_that_stands_for_a_machine_wins(tmp_path):
    second = ROW.replace("small", "other").partition("\n")[2]
    assert prices_of(tmp_path, ROW + second).for_machine(machine()).name == "small"


def test_no_row_is_no_price(tmp_path):
    assert prices_of(tmp_path, "machines: []\n").for_machine(machine()) is None


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("0.08", "0", ":3 machines.0.usd_per_hour", "greater than 0"),
        ("0.08", ".nan", ":3 machines.0.usd_per_hour", "nan"),
        ("0.08", ".inf", ":3 machines.0.usd_per_hour", "finite"),
        ("0.08", "cheap", ":3 machines.0.usd_per_hour", "'cheap'"),
        ("https://example.org/prices", "''", ":4 machines.0.source", "at least 1 character"),
        ("2026-01-02", "last week", ":5 machines.0.read_on", "'last week'"),
        ("{cores: 2}", "{core: 2}", ":6 machines.0.stands_for.core", "2"),
        ("    source: https://example.org/prices\n", "", ":2 machines.0.source", "required"),
        ("machines:", "machine:", ":1 machine", "machine"),
    ],
)
def test_a_fault_of_a_price_file_has_its_line_and_value(tmp_path, old, new, place, words):
    with pytest.raises(TaskError) as caught:
        prices_of(tmp_path, ROW.replace(old, new))
    (fault,) = caught.value.faults
    assert fault.where == f"{tmp_path}/prices.yaml{place}"
    assert words in str(fault)


def test_all_faults_of_a_price_file_are_told_at_once(tmp_path):
    with pytest.raises(TaskError) as caught:
        prices_of(tmp_path, ROW.replace("0.08", "-1").replace("2026-01-02", "never"))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("text", ["", "machines: ~\n", "- a\n", "a: [\n"])
def test_a_file_of_another_shape_is_refused(tmp_path, text):
    with pytest.raises(TaskError):
        prices_of(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(TaskError, match="no such file"):
        read_prices(tmp_path / "none.yaml")


def test_every_price_file_that_ships_is_read_and_cites_a_page():
    files = sorted((Path(__file__).parent.parent / "tasks").glob("*/prices.yaml"))
    assert files
    for row in (row for file in files for row in read_prices(file).machines):
        assert row.source.startswith("https://")
