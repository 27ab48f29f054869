"""Records of version 1 are read: what each result ran on follows from the headers around it."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from pathlib import Path

import pytest

from harness.analysis import analyse
from harness.errors import RunFolderError
from harness.store.finding import Finding
from harness.store.machine import Machine
from harness.store.migrate import STEPS, each_result_names_its_hardware, migrated
from harness.store.records import SCHEMA_VERSION
from harness.store.run_folder import RunFolder

OLD = Path(__file__).parent / "version_1"
"""A run of two invocations on one machine: `majority` by the first, `tfidf` by the second."""
LAPTOP = {"cpu_model": "Abacus 2", "cores": 2, "memory_bytes": 8, "os": "Linux", "python": "3.12"}
SERVER = {**LAPTOP, "cpu_model": "Abacus 64", "cores": 64}


@pytest.fixture
def old(tmp_path):
    return RunFolder(Path(shutil.copytree(OLD, tmp_path / "run")))


def header(machine, device="cpu"):
    return {
        "kind": "header", "schema_version": 1,
        "machine": machine, "device": device, "dtype": "float32",
    }  # fmt: skip


def trial(fit_s=1.0, **results):
    fit = {"status": "ok", "measurements": [{"phase": "fit", "wall_s": fit_s, "cpu_s": 1}]}
    return {"kind": "trial", "fit_id": "f", "trial_id": "t", "fit": fit, **results}


def machines(record, key="fit"):
    return record[key]["hardware"]["machine"]["cpu_model"]


def test_a_result_ran_on_the_machine_of_the_header_that_it_first_stood_under():
    served = {"status": "ok", "measurements": []}
    probed = {"status": "ok", "threads": 3}
    records = [
        header(LAPTOP),
        trial(serve=served),
        header(SERVER),
        trial(serve=served, probe=probed),  # completed, not run again
        trial(fit_s=0.5, serve=served),  # run again, with a fit of its own
    ]
    before = deepcopy(records)
    _, first, _, completed, again = migrated(records)
    assert records == before  # a pure function
    assert machines(first) == machines(completed) == machines(completed, "serve") == "Abacus 2"
    assert machines(completed, "probe") == "Abacus 64"
    assert machines(again) == "Abacus 64"
    assert {record["schema_version"] for record in migrated(records)} == {SCHEMA_VERSION}


def test_a_step_leaves_records_of_later_versions_alone():
    later = {**trial(), "schema_version": 2}
    found = each_result_names_its_hardware([header(LAPTOP), later])
    assert found[1] == later
    assert migrated(migrated([header(LAPTOP), trial()])) == migrated([header(LAPTOP), trial()])


def test_what_the_audit_said_becomes_a_record_of_what_to_do():
    data = {"train_n": 1, "findings": ["1 of 2 rows leaks → take it out", "so it is"]}
    (found,) = migrated([{**header(LAPTOP), "schema_version": 2, "data": data}])
    leak, other = found["data"]["findings"]
    assert (leak["text"], leak["remedy"]) == ("1 of 2 rows leaks", "take it out")
    assert (other["text"], other["remedy"], other["severity"]) == ("so it is", None, "note")
    assert Finding.model_validate(leak).sentence == data["findings"][0]
    assert found["data"]["train_n"] == 1
    assert "expectations" not in found["data"]


def test_there_is_a_step_from_each_earlier_version():
    assert sorted(STEPS) == list(range(1, SCHEMA_VERSION))


def test_what_stands_before_any_header_ran_on_nobody_knows_what():
    (found,) = migrated([trial()])
    assert found["fit"]["hardware"] is None


def test_an_old_run_folder_is_read(old):
    found = {record.arm: record for record in old.trials().values()}
    assert set(found) == {"majority", "tfidf"}
    machine = old.last_header().machine
    for record in found.values():
        assert record.schema_version == SCHEMA_VERSION
        assert [on.machine for on in record.hardware] == [machine]
    assert found["tfidf"].robustness.hardware.machine == machine


def test_an_old_run_folder_is_analysed_without_a_rerun(old):
    comparison = analyse(old)
    assert comparison.recommendation.choice == "tfidf"
    rows = {row.strategy: row for row in comparison.arms}
    assert rows["majority"].score.value == pytest.approx(0.5)
    assert rows["tfidf"].p50_s == pytest.approx(0.00596, rel=0.01)
    assert rows["tfidf"].total_usd == pytest.approx(4.0, rel=0.01)
    assert not any("measured on" in finding for finding in comparison.findings)


def test_an_old_run_that_was_continued_elsewhere_keeps_both_machines(old):
    lines = old.records.read_text().splitlines()
    values = json.loads(lines[2])
    assert values["kind"] == "header"
    values["machine"] |= {"cpu_model": "Abacus 64", "cores": 64}
    lines[2] = json.dumps(values)
    old.records.write_text("\n".join(lines) + "\n")
    on = {record.arm: record.hardware[0].machine for record in old.trials().values()}
    assert on["tfidf"] == Machine.model_validate(values["machine"])
    assert on["majority"] != on["tfidf"]


def test_a_newer_version_is_refused_with_its_place(old):
    newer = {"kind": "header", "schema_version": SCHEMA_VERSION + 1}
    with old.records.open("a") as stream:
        stream.write(json.dumps(newer) + "\n")
    with pytest.raises(RunFolderError, match=r"records\.jsonl:5: schema_version 4 is not one of"):
        old.trials()


def test_a_header_without_a_machine_is_named_as_what_cannot_be_read(old):
    with old.records.open("a") as stream:
        stream.write(json.dumps({"kind": "header", "schema_version": 1}) + "\n")
        stream.write(json.dumps({"kind": "trial", "fit": 7}) + "\n")
    with pytest.raises(RunFolderError, match=r"records\.jsonl:5: this record cannot be read"):
        old.last_header()
    assert set(old.trials()) == set(RunFolder(OLD).trials())
