"""What a report says of how parameters were chosen: figures from records, on both pages alike."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import Arm, right, write_run

from harness.analysis import analyse
from harness.stats.choosing import expected_best
from harness.store.recorded_files import sha256_now
from harness.store.search_record import (
    SEARCH,
    SearchRecord,
    SearchTrial,
    packed,
    read_search,
    unpacked,
    write_search,
)
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 20
EFFORT = {"trials": 6}


def trial(number, right_of_40, rows=40, **more):
    values = np.array([1.0] * right_of_40 + [0.0] * (40 - right_of_40))
    statistics = np.column_stack([np.roll(values, number), np.ones(40)])[:rows]
    score = float(statistics[:, 0].mean()) if rows else None
    changed = {"shots": number} if number else {}
    return SearchTrial(
        number=number,
        changed=changed,
        by="portfolio" if number else "default",
        rows=rows,
        score=score,
        wall_s=10.0,
        prepared_s=4.0,
        statistics=packed(statistics),
        **more,
    )


def record(trials, chosen, lead, se, **more):
    fields = {
        "family": "prompted",
        "sharing": 1,
        "effort": {"trials": 6},
        "most_trials": 6,
        "space": {"shots": [0, 1, 2, 3]},
        "sampler": "Optuna",
        "row_ids": tuple(f"v{n}" for n in range(40)),
        "width": 2,
        "trials": tuple(trials),
        "chosen": chosen,
        "lead": lead,
        "lead_se": se,
        "ended": "space",
        "why": f"shots = {chosen}, of {len(trials)} trials",
        "of_seed": 0,
    }
    return SearchRecord(**fields | more)


@pytest.fixture
def analysed(tmp_path):
    """Analyse a run of one arm that was searched, and one that was not."""

    def of(search, effort=EFFORT):
        arms = [Arm("prompted", [right(TARGETS, range(6))]), Arm("rule", [right(TARGETS, [1])])]
        folder = write_run(tmp_path, TARGETS, arms, effort=effort)
        if search is not None:
            found = next(t for t in folder.trials().values() if t.arm == "prompted")
            fit = folder.fit_folder("prompted", found.fit_id)
            fit.mkdir(parents=True, exist_ok=True)
            write_search(fit, search)
            files = {**found.fit.files, SEARCH: sha256_now(fit / SEARCH)}
            result = found.fit.model_copy(update={"files": files})
            folder.append(found.model_copy(update={"fit": result}))
        return analyse(folder), folder

    return of


CLEAR = record([trial(0, 20), trial(1, 34), trial(2, 24), trial(3, 10, rows=16)], 1, 0.35, 0.08)


def test_statistics_are_packed_without_their_zeros():
    statistics = np.array([[0, 0, 1.5], [0, 0, 0], [2, 0, 1]])
    assert packed(statistics) == ((2, 1.5), (), (0, 2, 2, 1))
    assert (unpacked(packed(statistics), 3) == statistics).all()


def test_every_figure_follows_from_what_was_recorded(analysed):
    comparison, _ = analysed(CLEAR)
    found = {arm.strategy: arm.effort for arm in comparison.arms}
    assert found["rule"] is None
    effort = found["prompted"]
    assert (effort.default_score, effort.best_score, effort.chosen_score) == (0.5, 0.85, 0.85)
    assert effort.changed == {"shots": 1}
    assert effort.wall_s == 40
    assert effort.expected_best == pytest.approx(tuple(expected_best([0.5, 0.85, 0.6])))
    assert -0.05 < effort.optimism < 0.05  # a clear winner is chosen by little luck
    assert not effort.close
    assert [one.rows for one in effort.tried] == [40, 40, 40, 16]


def test_both_pages_say_what_was_tried_and_what_is_unspent(analysed):
    comparison, _ = analysed(CLEAR)
    for page in (markdown(comparison), html(comparison)):
        assert "Effort: how parameters were chosen" in page
        assert "Each family of arms may spend 6 trials" in page
        assert "2 trials; nothing was left to try" in page
        assert "Nothing was chosen for: rule." in page


def test_a_choice_within_noise_is_a_warning(analysed):
    near = record([trial(0, 20), trial(1, 21)], 0, 0.025, 0.08)
    comparison, _ = analysed(near)
    (warning,) = [w for w in comparison.warnings if "standard error" in w.text]
    assert warning.arms == ("prompted",)
    assert "prompted has its defaults: the best of 1 others differs from them by +0.025" in (
        warning.text
    )


def test_a_clear_choice_is_no_warning(analysed):
    assert not [w for w in analysed(CLEAR)[0].warnings if "standard error" in w.text]


def test_without_effort_there_is_no_section(analysed):
    comparison, _ = analysed(None, effort="none")
    assert "Effort: how parameters" not in markdown(comparison)


def test_a_changed_search_is_told_and_not_shown(analysed):
    _, folder = analysed(CLEAR)
    (place,) = folder.path.rglob(SEARCH)
    place.write_text(place.read_text().replace('"score": 0.85', '"score": 0.95'))
    comparison = analyse(folder)
    assert next(a for a in comparison.arms if a.strategy == "prompted").effort is None
    assert any(SEARCH in warning.text for warning in comparison.warnings)


@pytest.mark.parametrize("spoilt", [{"width": 1}, {"width": 0}])
def test_statistics_that_do_not_fit_leave_the_optimism_unknown(analysed, spoilt):
    comparison, _ = analysed(CLEAR.model_copy(update=spoilt))
    effort = next(a.effort for a in comparison.arms if a.strategy == "prompted")
    assert effort.optimism is None
    assert effort.best_score == 0.85


def test_a_record_that_names_no_trial_of_its_own_is_none(tmp_path):
    text = CLEAR.model_dump_json().replace('"chosen":1', '"chosen":9')
    (tmp_path / SEARCH).write_text(text)
    assert read_search(tmp_path) is None


def test_what_was_tried_besides_the_choice_is_told_from_its_preparation():
    assert CLEAR.besides_s == 36
