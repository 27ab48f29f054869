"""Memory of the GPU and main memory are told apart wherever a figure of memory stands."""

from __future__ import annotations

import pytest
from hand_made import TARGETS, cheap_and_good, on, rows_of, write_run

from harness.analysis import Comparison, analyse
from harness.cli.terminal import Screen
from harness.store.run_folder import RunFolder
from harness.wording import numbers
from reports import html
from reports import whole_markdown as markdown

GIB = 2**30
GPU_ARM = "good"


def run_on_gpu(path, **task):
    """Write a run on a machine with a GPU, of which one arm reserved 3 GiB and the other none."""
    write_run(path / "cpu", TARGETS, cheap_and_good(), **task)
    made = RunFolder(path / "cpu")
    header = made.last_header()
    machine = header.machine.model_copy(update={"gpu": "Abacus H1"})
    trials = list(made.trials().values())
    made.records.unlink()
    header = header.model_copy(update={"machine": machine, "device": "cuda"})
    made.append(header)
    for trial in trials:
        there = on(header.hardware, trial)
        made.append(_on_gpu(there) if trial.arm == GPU_ARM else there)
    return made


def _on_gpu(trial):
    def took(result):
        on_gpu = {"peak_gpu_bytes": 3 * GIB}
        return result.model_copy(
            update={"measurements": tuple(m.model_copy(update=on_gpu) for m in result.measurements)}
        )

    return trial.model_copy(update={"fit": took(trial.fit), "serve": took(trial.serve)})


def test_both_are_kept_and_limits_are_held_against_the_gpus_where_one_was_used(tmp_path):
    limits = {"max_serve_memory_gib": 1}
    rows = rows_of(analyse(run_on_gpu(tmp_path, limits=limits)))
    good, cheap = rows[GPU_ARM], rows["cheap"]
    assert (good.predict_peak_gpu_bytes, good.predict_peak_ram_bytes) == (3 * GIB, 100 * 2**20)
    assert (cheap.predict_peak_gpu_bytes, cheap.predict_peak_ram_bytes) == (None, 100 * 2**20)
    assert good.fit_peak_bytes == good.fit_peak_gpu_bytes == 3 * GIB
    assert cheap.fit_peak_bytes == cheap.fit_peak_ram_bytes == 200 * 2**20
    assert (good.misses, cheap.misses) == (("limits.max_serve_memory_gib",), ())
    (check,) = good.checks
    assert check.text == "serving memory on the GPU 3.00 GiB (at most 1.00 GiB allowed)"


@pytest.mark.parametrize("render", [markdown, html])
def test_on_a_gpu_machine_every_figure_says_what_it_is_of(tmp_path, render):
    text = render(analyse(run_on_gpu(tmp_path))).replace("<br>", ", ")
    # Serving memory stands once more in the tile of the chosen arm.
    for ram, tiles in (("100 MiB RAM", 1), ("200 MiB RAM", 0)):
        assert text.count(ram) == 2 + tiles  # of each arm
        assert text.count(f"3.00 GiB GPU, {ram}") == 1 + tiles
    assert "A limit on memory applies to the GPU" in text


@pytest.mark.parametrize("render", [markdown, html])
def test_without_a_gpu_there_is_one_kind_of_memory_and_no_mark(tmp_path, render):
    text = render(analyse(write_run(tmp_path, TARGETS, cheap_and_good())))
    assert "100 MiB" in text
    assert "Memory is the peak of the arm's own process." in text.replace("&#39;", "'")
    assert " RAM" not in text
    assert "GPU where" not in text


def test_the_terminal_tells_them_apart_too(tmp_path, capsys):
    Screen().show(analyse(run_on_gpu(tmp_path)))
    said = capsys.readouterr().out
    assert "3.00 GiB GPU, 100 MiB RAM" in said
    assert "  100 MiB RAM" in said


def test_a_judgement_of_an_earlier_version_shows_the_figure_it_has(tmp_path):
    values = analyse(run_on_gpu(tmp_path)).model_dump(mode="json")
    for row in values["rows"]:
        for key in [key for key in row if key.endswith(("_ram_bytes", "_peak_gpu_bytes"))]:
            del row[key]
    earlier = Comparison.model_validate(values)
    for text in (markdown(earlier), html(earlier)):
        assert "3.00 GiB" in text
        assert "3.00 GiB GPU" not in text


@pytest.mark.parametrize(
    ("ram", "gpu", "text"),
    [
        (GIB, None, "1.00 GiB RAM"),
        (None, GIB, "1.00 GiB GPU"),
        (2 * GIB, GIB, "1.00 GiB GPU, 2.00 GiB RAM"),
        (None, None, "–"),
    ],
)
def test_peak_memory_reads(ram, gpu, text):
    assert numbers.memory(ram, gpu) == text
