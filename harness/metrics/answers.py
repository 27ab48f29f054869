"""The one parser of free-text answers: what a prediction's text says, if anything.

Records keep the raw text, so that it can be read again.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

AROUND = string.whitespace + ".,:;!?\"'`*_“”‘’"
"""What people and models put around an answer; other punctuation may be part of it: C++, -1."""


def read_choice(text: str, labels: Iterable[str]) -> str | None:
    """Return the label that a free text names, or None.

    An exact answer wins (else after trimming quotes and full stops, ignoring case and a leading
    "Answer:"); else the text must name exactly one label as whole words. A label that is only
    part of a longer label that is also named does not count: "card" in "card lost".
    """
    labels = list(labels)
    if text.strip() in labels:
        return text.strip()
    by_folded = {label.casefold(): label for label in labels}
    said = re.sub(r"^\s*(the\s+)?answer(\s+is)?\s*[:=]?\s+", "", text.casefold())
    for candidate in (text.casefold().strip(), said.strip(), said.strip(AROUND)):
        if candidate in by_folded:
            return by_folded[candidate]
    rest, found = said.strip(AROUND), []
    for folded in sorted(by_folded, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(folded)}(?!\w)"
        if re.search(pattern, rest):
            found.append(by_folded[folded])
            rest = re.sub(pattern, " ", rest)
    return found[0] if len(found) == 1 else None


def normalise_answer(text: str) -> str:
    """Normalise a short answer as SQuAD's official evaluation does.

    Lower case, no punctuation, no articles, single spaces (Rajpurkar et al. 2016, evaluate-v2.0).
    """
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())
