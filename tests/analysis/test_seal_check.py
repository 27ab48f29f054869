"""A verdict says so where it does not rest on what was sealed before anything ran."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, cheap_and_good, rewritten, unmarked, write_run

from harness.analysis import analyse
from harness.analysis.seal_check import edited
from harness.prices import MachinePrice, Prices, StandsFor
from harness.store.criteria_seal import (
    CRITERIA,
    metric_hashes,
    seal,
    seal_of_earlier_versions,
)
from reports import html
from reports import whole_markdown as markdown

AS_THEY_STOOD = "Success criteria, as they stood before anything ran"
OTHER_PRICES = "The prices are not those that were sealed"
EDITED = "were changed after they had been sealed"
METRIC = "def close(answer, targets):\n    return float(answer in targets)\n"


def sealed_run(path, **task):
    """Write a run whose header is sealed as a real one's is."""
    folder = write_run(path, TARGETS, cheap_and_good(), prices=PRICES, traffic=TRAFFIC, **task)
    header = folder.last_header()
    own = header.model_copy(
        update={
            "task_folder": str(path),
            "sealed": CRITERIA,
            "metric_sha256": (hashes := metric_hashes(header.task, path)),
            "criteria_sha256": seal(header.task, header.prices, hashes),
        }
    )
    _, *trials = folder.records.read_text().splitlines()
    return rewritten(folder, [own.model_dump_json(), *trials])


def with_record(folder, change):
    """Edit the header in records.jsonl, as somebody with an editor does."""
    header, *others = folder.records.read_text().splitlines()
    values = unmarked(header)
    change(values)
    return rewritten(folder, [values, *others])


def test_a_run_that_nobody_touched_is_as_it_was_sealed(tmp_path):
    comparison = analyse(sealed_run(tmp_path))
    assert comparison.not_as_sealed == ()
    for text in (markdown(comparison), html(comparison)):
        assert AS_THEY_STOOD in text


def test_the_price_file_of_the_run_given_again_is_no_other_price(tmp_path):
    folder = sealed_run(tmp_path)
    unused = {**PRICES["machines"][0], "name": "far.away", "stands_for": {"cores": 64}}
    again = Prices.model_validate({"machines": [unused, *PRICES["machines"]]})
    assert analyse(folder, again).not_as_sealed == ()


@pytest.mark.parametrize("rows", [[], [{**PRICES["machines"][0], "usd_per_hour": 7.2}]])
def test_other_prices_than_the_sealed_are_said_in_both_reports(tmp_path, rows):
    comparison = analyse(sealed_run(tmp_path), Prices.model_validate({"machines": rows}))
    (said,) = comparison.not_as_sealed
    assert said.startswith(OTHER_PRICES)
    for text in (markdown(comparison), html(comparison)):
        assert OTHER_PRICES in text
        assert AS_THEY_STOOD not in text


def test_prices_where_there_were_none_are_other_prices(tmp_path):
    price = MachinePrice(
        name="other",
        usd_per_hour=36,
        source="invoice 7",
        read_on=date(2026, 1, 2),
        stands_for=StandsFor(),
    )
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), traffic=TRAFFIC)
    assert analyse(folder).not_as_sealed == ()
    (said,) = analyse(folder, Prices(machines=[price])).not_as_sealed
    assert said.startswith(OTHER_PRICES)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["task"]["limits"].update(max_p95_ms=1.0),
        lambda header: header["task"].update(margin=0.5),
        lambda header: header["task"]["labour"].update(usd_per_label=9.0),
        lambda header: header["prices"]["machines"][0].update(usd_per_hour=0.01),
    ],
    ids=["limits", "margin", "labour", "prices"],
)
def test_criteria_that_were_edited_on_record_are_noticed(tmp_path, change):
    comparison = analyse(with_record(sealed_run(tmp_path), change))
    (said,) = comparison.not_as_sealed
    assert EDITED in said
    for text in (markdown(comparison), html(comparison)):
        assert EDITED in text
        assert AS_THEY_STOOD not in text


def sealed_anew(folder, **task):
    """Run the task again with other criteria; nothing but these depends on them, so all is kept."""
    before = folder.last_header()
    now = before.model_copy(update={"task": {**before.task, **task}})
    seal_of_now = seal(now.task, now.prices, now.metric_sha256)
    folder.append(now.model_copy(update={"criteria_sha256": seal_of_now}))
    return folder


def test_criteria_that_are_sealed_anew_over_finished_arms_are_told_with_what_changed(tmp_path):
    folder = sealed_run(tmp_path)
    assert analyse(sealed_anew(folder)).not_as_sealed == ()
    comparison = analyse(sealed_anew(folder, margin=0.5))
    (said,) = comparison.not_as_sealed
    assert said.startswith(
        "The success criteria (margin) were changed and sealed anew after 2 of 2"
    )
    for text in (markdown(comparison), html(comparison)):
        assert "sealed anew" in text
        assert AS_THEY_STOOD not in text


def test_what_the_seal_does_not_cover_may_change(tmp_path):
    folder = with_record(
        sealed_run(tmp_path), lambda header: header["task"].update(instruction="Well?")
    )
    assert analyse(folder).not_as_sealed == ()


@pytest.mark.process  # a metric of one's own is scored in a process of its own
def test_a_changed_file_of_a_metric_is_noticed_and_named(tmp_path):
    (tmp_path / "own.py").write_text(METRIC)
    folder = sealed_run(tmp_path, metric="own.py:close")
    assert analyse(folder).not_as_sealed == ()
    (tmp_path / "own.py").write_text(METRIC + "# corrected\n")
    (said,) = analyse(folder).not_as_sealed
    assert said.startswith("The success criteria on record, or own.py:close, were changed")


def test_of_a_metric_whose_file_is_gone_nothing_is_said(tmp_path):
    (tmp_path / "own.py").write_text(METRIC)
    header = sealed_run(tmp_path, metric="own.py:close").last_header()
    (tmp_path / "own.py").unlink()
    assert not edited(header)


def sealed_before(path, keys=CRITERIA, **task):
    """A run that an earlier version sealed: by the values of the keys, metrics' files read."""

    def change(header):
        del header["metric_sha256"]
        header["sealed"] = keys
        args = header["task"], header["prices"], path, keys
        header["criteria_sha256"] = seal_of_earlier_versions(*args)

    return with_record(sealed_run(path, **task), change)


def test_runs_of_very_early_versions_were_sealed_otherwise_and_are_not_accused(tmp_path):
    folder = with_record(sealed_before(tmp_path), lambda header: header.pop("sealed"))
    folder = with_record(folder, lambda header: header["task"].update(margin=0.5))
    assert analyse(folder).not_as_sealed == ()


def test_runs_of_earlier_versions_are_checked_as_they_were(tmp_path):
    (tmp_path / "own.py").write_text(METRIC)
    folder = sealed_before(tmp_path, metric="own.py:close")
    assert analyse(folder).not_as_sealed == ()
    (tmp_path / "own.py").write_text(METRIC + "# corrected\n")
    assert EDITED in analyse(folder).not_as_sealed[0]
    (tmp_path / "own.py").write_text(METRIC)
    with_record(folder, lambda header: header["task"].update(margin=0.5))
    assert EDITED in analyse(folder).not_as_sealed[0]


def test_a_run_that_goes_on_with_this_version_is_held_against_the_earlier_seal(tmp_path):
    folder = sealed_before(tmp_path)
    assert analyse(sealed_anew(folder)).not_as_sealed == ()
    (said,) = analyse(sealed_anew(folder, margin=0.5)).not_as_sealed
    assert said.startswith("The success criteria (margin) were changed and sealed anew")


SHORTER = [(), CRITERIA[:1], CRITERIA[:-1], CRITERIA[1:], ("also",), (*CRITERIA, "seeds"), ("x",)]


@pytest.mark.parametrize("keys", SHORTER, ids=str)
@pytest.mark.parametrize("also", [{}, {"margin": 0.5}], ids=["list", "list and margin"])
def test_nothing_is_unsealed_by_another_list_of_what_is_sealed(tmp_path, keys, also):
    def change(header):
        header["sealed"] = keys
        header["task"].update(also)

    (said,) = analyse(with_record(sealed_run(tmp_path), change)).not_as_sealed
    assert EDITED in said


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(task_folder=None, metric_sha256={}),
        lambda header: header.update(metric_sha256={"own.py:close": "0" * 64}),
        lambda header: header.update(task_folder=None, sealed=[]),
    ],
    ids=["no hashes", "another hash", "no list"],
)
def test_nor_by_other_hashes_of_its_metrics(tmp_path, change):
    (tmp_path / "own.py").write_text(METRIC)
    header = with_record(sealed_run(tmp_path, metric="own.py:close"), change).last_header()
    assert edited(header)


def test_a_list_that_was_edited_in_an_earlier_header_hides_no_other_criteria(tmp_path):
    folder = sealed_anew(sealed_run(tmp_path), margin=0.5)
    with_record(folder, lambda header: header.update(sealed=CRITERIA[:-1]))
    said = " ".join(analyse(folder).not_as_sealed)
    assert "an earlier invocation had sealed were changed on record" in said


def test_an_earlier_header_that_cannot_be_read_leaves_the_question_open_and_said(tmp_path):
    folder = sealed_anew(sealed_run(tmp_path), margin=0.5)
    lines = folder.records.read_text().splitlines()
    folder.records.write_text("\n".join([lines[0][:-9], *lines[1:]]) + "\n")
    (said,) = analyse(folder).not_as_sealed
    assert said.startswith("Whether cheap, good ran under the same success criteria is not known")


def test_the_header_of_a_task_that_was_planned_agrees_with_its_seal(tmp_path):
    from harness.run.environment import Setting, header
    from harness.store.run_folder import RunFolder
    from harness.task import load_task

    root = Path(__file__).parents[2]
    folder = RunFolder(tmp_path)
    tasks = sorted((root / "tasks").glob("*/task.yaml"))
    assert len(tasks) >= 3
    for task in tasks:
        folder.append(header(load_task(task), Setting(), frozenset(), "2026-11-20T12:00:00"))
        assert folder.last_header().sealed
        assert not edited(folder.last_header())
