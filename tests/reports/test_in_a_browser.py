"""The pages of the three shipped tasks in Chromium: what stands first, what fits, who can use it.

Only a browser lays a page out, and axe-core only runs in one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import CHROMIUM, axe, told

from harness.analysis import Comparison
from reports import html

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
TASKS = ("ticket_triage", "ticket_to_json", "handbook_qa")
WIDTHS = (390, 1000, 1600)

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

FIRST_SCREEN = """
const seen = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walk.nextNode(); node; node = walk.nextNode()) {
  const range = document.createRange(); range.selectNodeContents(node);
  const box = range.getBoundingClientRect();
  if (box.width && box.height && box.top < innerHeight && node.parentElement.checkVisibility()
      && !node.parentElement.closest('script, style')) seen.push(node.data);
}
return seen.join(' ');
"""
OPENED = """
for (const one of document.querySelectorAll('details')) one.open = true;
for (const one of document.querySelectorAll('.columns')) one.checked = true;
"""
WIDER = f"""
{OPENED}
const cut = [...document.querySelectorAll('main *')].filter(one =>
  one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll'));
return {{page: document.documentElement.scrollWidth, window: innerWidth,
         cut: cut.slice(0, 5).map(one => one.outerHTML.slice(0, 120))}};
"""
AXE = f"""
{OPENED}
const found = await axe.run(document, {{resultTypes: ['violations']}});
return found.violations.filter(one => one.impact !== 'minor').map(one =>
  [one.id, one.impact, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))]);
"""


@pytest.fixture(scope="module", params=TASKS)
def page(request):
    """A page with its plots: what is tested is what a reader gets."""
    path = EXAMPLES / request.param / "comparison.json"
    return html(Comparison.model_validate_json(path.read_text(encoding="utf-8")))


def test_the_first_screen_has_under_60_numbers(page, tmp_path):
    text = told(page, FIRST_SCREEN, 1600, tmp_path)
    numbers = re.findall(r"(?<![\w.])[+−-]?\$?\d[\d,.]*", text)
    assert 10 < len(numbers) < 60, numbers


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(page, width, tmp_path):
    found = told(page, WIDER, width, tmp_path)
    assert found["page"] <= found["window"] == width
    assert found["cut"] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious_or_moderate(page, width, tmp_path):
    source = axe()
    if source is None:
        pytest.skip("axe-playwright-python, which carries axe-core, is not installed")
    assert told(page, AXE, width, tmp_path, before=source) == []
