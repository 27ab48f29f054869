"""Price files: rows that cite their source, and apply only to the machine they stand for."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from harness.errors import TaskError
from harness.prices import read_prices
from harness.store.machine import Machine
from harness.types import Endpoint, ModelRef

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
        ("0.08", "0", ":3 machines.0.usd_per_hour", "more than 0"),
        ("0.08", ".nan", ":3 machines.0.usd_per_hour", "nan"),
        ("0.08", ".inf", ":3 machines.0.usd_per_hour", "finite"),
        ("0.08", "cheap", ":3 machines.0.usd_per_hour", '"cheap"'),
        ("https://example.org/prices", "''", ":4 machines.0.source", "is empty"),
        ("2026-01-02", "last week", ":5 machines.0.read_on", '"last week"'),
        ("{cores: 2}", "{core: 2}", ":6 machines.0.stands_for.core", "rename it to 'cores'"),
        (
            "    source: https://example.org/prices\n",
            "",
            ":2 machines.0.source",
            "this key is missing",
        ),
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


SHIPPED = Path(__file__).parent.parent / "tasks" / "prices.yaml"


def test_the_price_file_that_ships_is_the_only_one_and_every_task_names_it():
    assert sorted(SHIPPED.parent.rglob("prices.yaml")) == [SHIPPED]
    tasks = sorted(SHIPPED.parent.glob("*/task.yaml"))
    assert tasks
    assert all("\nprices: ../prices.yaml\n" in task.read_text() for task in tasks)


def test_every_price_that_ships_cites_a_page_of_several_clouds_and_of_hosted_models():
    prices = read_prices(SHIPPED)
    assert all(row.source.startswith("https://") for row in (*prices.machines, *prices.hosted))
    assert {row.name.split()[0] for row in prices.machines} >= {"AWS", "Azure", "Google"}
    assert {bool(row.stands_for and row.stands_for.gpu) for row in prices.machines} == {True, False}
    assert len({(row.base_url, row.model) for row in prices.hosted}) == len(prices.hosted) >= 4


@pytest.mark.parametrize(
    ("gpu", "usd"),
    [("NVIDIA H100 80GB HBM3", 3.99), ("NVIDIA H100 NVL", 6.98), ("NVIDIA H200", None)],
)
def test_a_shipped_gpu_price_applies_to_that_gpu_alone(gpu, usd):
    row = read_prices(SHIPPED).for_machine(machine(gpu=gpu))
    assert (row and row.usd_per_hour) == usd


HOSTED = """\
hosted:
  - model: small
    base_url: https://api.example.org/v1/
    usd_per_million_input_tokens: 1
    usd_per_million_output_tokens: 4
    source: https://example.org/prices
    read_on: 2026-01-02
"""


def model(name="small", url="https://api.example.org/v1", **prices):
    return ModelRef(name, url, hosted=Endpoint("openai", **prices))


def test_a_hosted_models_price_is_found_by_address_and_name(tmp_path):
    prices = prices_of(tmp_path, HOSTED)
    priced = prices.priced(model())
    assert priced.usd_per_million_input_tokens == 1
    assert priced.usd_per_million_output_tokens == 4
    assert priced.usd_per_million_cached_tokens is None
    for other in (model("large"), model(url="https://elsewhere.example.org/v1")):
        assert prices.priced(other) == other.hosted
    assert prices.priced(ModelRef("small", "https://api.example.org/v1")) is None


def test_a_task_files_own_prices_win_whole(tmp_path):
    own = model(usd_per_million_input_tokens=9.0)
    assert prices_of(tmp_path, HOSTED).priced(own) == own.hosted


def test_the_rows_that_apply_are_kept_and_no_others(tmp_path):
    prices = prices_of(tmp_path, ROW + HOSTED)
    assert prices.used([machine()], [model()]) == prices
    assert prices.used([machine(cores=4)], [model("large")]).model_dump() == {
        "machines": [],
        "hosted": [],
    }


def test_a_row_that_was_read_more_than_a_year_before_is_stale(tmp_path):
    prices = prices_of(tmp_path, ROW + HOSTED)
    assert list(prices.stale(date(2027, 1, 2))) == []
    said = list(prices.stale(date(2027, 1, 3)))
    assert [words.split(" was read on")[0] for words in said] == [
        "the price of small",
        "the price of small at https://api.example.org/v1/",
    ]
    assert "2026-01-02, more than a year before this run" in said[0]
    assert "2026-01-02, more than a year ago: read" in next(prices.stale(date(2027, 1, 3), "ago"))


def test_a_page_that_is_read_after_today_is_refused(tmp_path):
    today = date.today()
    assert prices_of(tmp_path, ROW.replace("2026-01-02", f"{today}")).machines
    with pytest.raises(TaskError) as caught:
        prices_of(tmp_path, ROW.replace("2026-01-02", f"{today + timedelta(days=2)}"))
    (fault,) = caught.value.faults
    assert fault.where == f"{tmp_path}/prices.yaml:5 machines.0.read_on"
    assert "the page cannot have been read after today" in str(fault)
    assert str(today + timedelta(days=2)) in str(fault)
    assert "write the day on which it was read" in str(fault)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tokens: 1\n", "tokens: -1\n", "write what is charged, or remove the row"),
        ("    usd_per_million_output_tokens: 4\n", "", "add it, or remove the row"),
        ("tokens: 4", "tokens: .nan", "nan"),
        ("model: small", "model: ''", "is empty"),
    ],
)
def test_a_fault_of_a_hosted_row_says_what_to_write(tmp_path, old, new, words):
    with pytest.raises(TaskError) as caught:
        prices_of(tmp_path, HOSTED.replace(old, new))
    assert words in str(caught.value.faults[0])
