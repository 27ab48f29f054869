"""`merge` of real runs: what several machines did in parts comes to what one run finds."""

from __future__ import annotations

import pytest
from command_line import harness
from parts import tree

from harness.analysis import analyse, compare, history_of
from harness.errors import RunFolderError
from harness.run.merging.merge import merge
from harness.run.predict_new import answer_with
from harness.types import Query

TIMES = "p50_s p95_s p50_cold_s throughput_per_s latencies fit_wall_s wall_s energy_j checks notes"
MONEY = "cost fit_usd usd_per_1k_busy usd_per_1k_reserved total_usd"
MEMORY = "fit_peak_bytes predict_peak_bytes fit_peak_ram_bytes predict_peak_ram_bytes"
ORIGIN = "machine foresight started_at command merged"
TIMED = frozenset(" ".join((TIMES, MONEY, MEMORY, ORIGIN)).split(" "))
"""Keys whose values are of one machine at one time, or of how a run came about."""
LASTING = ("run", "task", "rows", "learning_curve", "differences", "audit", "not_as_sealed")


def lasting(values):
    """What does not depend on when and where a run was made, nor on how fast it was."""
    if isinstance(values, dict):
        return {key: lasting(value) for key, value in values.items() if key not in TIMED}
    return [*map(lasting, values)] if isinstance(values, list) else values


def found_in(folder):
    found = analyse(folder).model_dump(mode="json")
    return {key: lasting(found[key]) for key in LASTING}


@pytest.mark.parametrize(
    "parts",
    [
        [{"only": ["a"]}, {"only": ["b"]}],
        [{"seeds": [0, 1]}, {"seeds": [2, 3]}],
        [{"sizes": [8]}, {"sizes": [4, 6]}],
        [{"seeds": [2, 3], "only": ["b"]}, {"seeds": [0, 1]}, {"seeds": [2, 3], "only": ["a"]}],
    ],
    ids=["arms", "seeds", "sizes", "seeds of arms"],
)
def test_parts_come_to_what_one_run_finds(run_part, whole, tmp_path, parts):
    folders = [run_part(tmp_path / str(n), **part).path for n, part in enumerate(parts)]
    found = merge(folders, tmp_path / "merged")
    assert found.conflicts == ()
    merged, of_one = found_in(found.folder), found_in(whole)
    assert merged["learning_curve"]
    for key in LASTING:
        assert merged[key] == of_one[key]


def test_the_next_run_goes_on_from_a_merged_folder(two):
    merged = merge([two.one, two.other], two.out).folder
    before = merged.trials()
    two.again(two.out, only=())
    assert merged.trials() == before, "all was reused"
    two.again(two.out, only=(), seeds=[0, 1, 2])
    added = [record for one, record in merged.trials().items() if one not in before]
    assert sorted((record.arm, record.seed) for record in added) == [("a", 2), ("b", 2)]


def test_a_merged_folder_is_read_as_any_other(two):
    merged = merge([two.one, two.other], two.out).folder
    done = harness("report", two.out)
    assert done.returncode == 0, done.stderr
    assert "merged from" in merged.report_html.read_text()
    [timeline] = history_of(two.out).timelines
    assert set(timeline.arms) == {"a", "b"}
    assert compare(merged, merged)
    [answer] = answer_with(merged, "b", [Query("q", "text")])
    assert answer.text in ("a", "b")


PRICES = """
machines:
  - {name: large, usd_per_hour: 9, source: x, read_on: 2026-01-01, stands_for: {cpu_model: Abacus}}
  - {name: any, usd_per_hour: 1, source: x, read_on: 2026-01-01, stands_for: {}}
"""


@pytest.mark.parametrize("turned", [False, True])
def test_each_machine_keeps_its_price_and_the_criteria_are_as_sealed(two, run_part, turned):
    """The row of the first machine stands for the second too, but stands later in the file."""
    folder = two.out.parent / "priced"
    for name, only, machine in (("one", "a", "Slate 4"), ("two", "b", "Abacus 64")):
        given = {"seeds": [0], "sizes": (), "only": [only], "machine": machine}
        run_part(folder / name, prices="prices.yaml", files={"prices.yaml": PRICES}, **given)
    merged = merge([folder / name for name in sorted(("one", "two"), reverse=turned)], two.out)
    comparison = analyse(merged.folder)
    assert comparison.not_as_sealed == ()
    assert [row["name"] for row in merged.folder.last_header().prices["machines"]] == [
        "large",
        "any",
    ]
    a, b = comparison.arms
    assert a.total_usd == pytest.approx(1000 / a.throughput_per_s * 1 / 3600)
    assert b.total_usd == pytest.approx(1000 / b.throughput_per_s * 9 / 3600)


def test_prices_of_one_machine_that_differ_are_refused(two, run_part):
    folder = two.out.parent / "priced"
    for name, prices in (("one", PRICES), ("two", PRICES.replace("9", "8"))):
        given = {"seeds": [0], "sizes": (), "only": ["a"], "machine": "Abacus 64"}
        run_part(folder / name, prices="prices.yaml", files={"prices.yaml": prices}, **given)
    with pytest.raises(RunFolderError, match=r"its price of Abacus 64 differs from .* →"):
        merge([folder / "one", folder / "two"], two.out)
    run_part(folder / "two", prices="prices.yaml", files={"prices.yaml": PRICES}, **given)
    assert merge([folder / "one", folder / "two"], two.out).conflicts == ()


def test_figures_of_another_machine_are_not_compared(two):
    comparison = analyse(merge([two.one, two.other], two.out).folder)
    a, b = comparison.arms
    assert (a.machine.cpu_model, b.machine.cpu_model) == ("Slate 4", "Abacus 64")
    assert a.not_compared is None
    assert "Abacus 64" in b.not_compared.why
    assert comparison.machine.cpu_model == "Slate 4"


def test_merging_again_gives_the_same_folder(two):
    first = merge([two.one, two.other], two.out)
    again = merge([two.one, two.other], two.out)
    assert (first.was_there, again.was_there) == (False, True)
    files = tree(two.out)
    beside = two.out.with_name("beside")
    for folders in (
        [two.out],
        [two.out, two.one, two.other],
        [two.one, two.other, two.out],
        [two.one, two.out, two.other],
        [two.one, two.one, two.other],
    ):
        found = merge(folders, beside)
        assert tree(beside) == files, folders
        assert found.conflicts == ()
        for path in sorted(beside.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        beside.rmdir()
