"""The browser over all test rows: its HTML, and the script files with texts that lie beside it.

What it holds is made by the analysis; `rows.js` draws it in the reader's browser, from file://, and
loads nothing from anywhere. Up to `IN_ONE_FILE` rows the texts stand in the page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from markupsafe import Markup

from harness.analysis import IN_ONE_FILE, AllRows
from harness.wording.visible import visible_json
from reports.section import Embedded, Section
from reports.templating import source, template

FOLDER = "report-data"
"""Beside the report; in it a folder for each report, so that none reads another's texts."""
CONTENTS = {
    "ids": "This page names rows by their ids, with labels and scores; it holds no text of theirs.",
    12: "This page holds the texts of {n} picked rows, and of all others ids, labels and scores."
    " `report RUN_DIR --examples all` writes it with all texts, `--examples none` without any row.",
    "all": "This page holds the texts of {n} of {rows} test rows: think of who may read them before"
    " you send it on.",
}


@dataclass(frozen=True)
class Browser:
    """The browser of one report."""

    rows: AllRows
    single_file: bool = False
    """Texts stand in the page, however many rows there are."""

    @property
    def html(self) -> Markup:
        """What stands in the page."""
        inline = self.texts_n and not self.files
        made = template("rows.html.j2").render(
            contents=self.contents,
            index=as_script({**self.rows.index, **self._place}),
            texts=as_script([self._merged]) if inline else "",
            script=Markup(source("rows.js")),  # noqa: S704 - ours
        )
        return Markup(made)  # noqa: S704 - a template that escapes

    @property
    def contents(self) -> str:
        """What of the rows this page holds, in a sentence."""
        text = CONTENTS[self.rows.index["shown"]]
        return text.format(n=self.texts_n, rows=self.rows.index["n"])

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The script files with texts, by their paths beside the report; none where they fit."""
        if self.single_file or self.texts_n <= IN_ONE_FILE:
            return {}
        return {
            f"{self.folder}/rows-{number}.js": self._script(number)
            for number in range(len(self.rows.chunks))
        }

    @property
    def folder(self) -> str:
        """Where they lie."""
        return f"{FOLDER}/{self._key}"

    @cached_property
    def texts_n(self) -> int:
        """Rows whose texts are shown."""
        return sum(len(chunk["rows"]) for chunk in self.rows.chunks)

    @property
    def _place(self) -> dict[str, Any]:
        if not self.files:
            return {"chunks": 0}
        return {"chunks": len(self.rows.chunks), "folder": self.folder, "key": self._key}

    @property
    def _merged(self) -> dict[str, Any]:
        whole: dict[str, Any] = {"rows": {}, "documents": {}}
        for chunk in self.rows.chunks:
            for name in whole:
                whole[name] |= chunk[name]
        return whole

    @cached_property
    def _key(self) -> str:
        whole = _json([self.rows.index, self.rows.chunks])
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    def _script(self, number: int) -> str:
        texts = as_script(self.rows.chunks[number])
        return f'harnessRows.chunk("{self._key}", {number}, {texts});\n'


def as_script(value: Any) -> Markup:
    """Return a value as JSON that ends no script element and no line of a script."""
    text = _json(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704 - without the signs of markup


def _json(value: Any) -> str:
    return visible_json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def with_browser(section: Section, browser: Browser | None) -> Section:
    """Return a section with the browser below what it holds, where there is one."""
    if browser is None:
        return section
    embedded = Embedded(browser.html, browser.contents)
    return replace(section, blocks=(*section.blocks, embedded))
