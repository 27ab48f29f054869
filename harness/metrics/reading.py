"""The one reader of answers: what a text says when thoughts, fences and phrases are taken off.

Every arm is read alike: local, hosted and replayed. What cannot be read is None, never a guess: a
negated label, several labels, "a tie". Records keep the raw text, so that it can be read again.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from harness.metrics.words import cuts_no_word, letters_of, with_ascii_marks
from harness.wording.thoughts import THOUGHT_MARKS, thought_end

AROUND = string.whitespace + ".,:;!?\"'`*_“”‘’„‚«»‹›。，、；：！？「」『』【】《》〈〉…·．"
"""What people and models put around an answer; other punctuation may be part of it: C++, -1."""

ANSWER_WORDS = (
    "answer|label|antwort|réponse|respuesta|risposta|resposta|ответ|答案|答え|回答|정답|답"
)
_MARKED = re.compile(
    rf"[\s#*_>-]*(?:(?:the|my|die|la|le)\s+)?(?:(?:final|correct|best|最终)\s*)?(?:{ANSWER_WORDS})"
    r"(?:\s*(?:is|ist|est|es|是|为|は))?[*_]*(?:\s*[:=：][*_]*|(?<=[是为は])|(?<=\bis)\s)\s*(?P<said>\S.*)",
    re.IGNORECASE,
)
"""A line such as "Final answer: X"; X may be empty of letters, as "+" is."""
_NO_MARK = re.compile("[^" + re.escape("".join({mark[0] for mark, _ in THOUGHT_MARKS})) + "]*")
"""A text without a character that begins a thought's mark."""
_END_OF_CLAUSE = r".;!?。；！？\n"
_TWO_WORDS_ON = r"(?:{blank}+\w+){{0,2}}{mark}*"
_NEGATIONS = (
    (
        r"(?<!\w)(?:not|never|neither|nor|non|no|cannot|without|nicht|pas|ni|нет|не)",
        _TWO_WORDS_ON,
    ),
    (r"n['’]t", _TWO_WORDS_ON),
    (r"(?<!\w)kein", r"\w*" + _TWO_WORDS_ON),
    (r"不|非|未|無|没有", r"{mark}*"),
    (r"不是|不属于|不会是", r"{mark}*"),
)
"""What denies, and how far: two more words, and marks, of the same clause.

Each line is looked for by itself: two of one line that share a letter would hide one another.
"""
_DENIALS = [
    re.compile(
        f"(?:{word})(?=({reach}))".format(blank=r"[^\S\n]", mark=rf"[^\w{_END_OF_CLAUSE}]"),
        re.IGNORECASE,
    )
    for word, reach in _NEGATIONS
]
"""Each with its reach as the group: looked ahead, since what denies may stand there again."""
_NEGATION_AFTER = re.compile(r"\s*(?:ではな|ではあり|じゃな|でない|[이가]\s*아[니닙])")
_SAID_OF_A_LETTER = re.compile(
    r"\s+(?:is|was|because|since|as|due|fits|seems|would|and|or)\b|\W*$|[^\w\s]"
)
"""What may follow a label of one letter that stands in a sentence; "a tie" is no answer "A"."""


def without_thoughts(text: str) -> str:
    """Return a text behind its thoughts; of one that was cut in its thoughts nothing is left.

    Everything up to the last closing mark is thought: a template may have opened it in the prompt.
    """
    if _NO_MARK.fullmatch(text):
        return text
    rest = text[thought_end(text) :]
    cuts = [rest.lower().find(opener.lower()) for opener, _ in THOUGHT_MARKS]
    kept = rest[: min((cut for cut in cuts if cut >= 0), default=len(rest))]
    return kept if kept == text else kept.removesuffix("<|return|>").strip()


def final_answer(text: str) -> str:
    r"""Return what a text says in the end: its last `\boxed{X}` or line "Answer: X", else all."""
    text = without_thoughts(text)
    boxed = _boxed(text)
    if boxed is not None:
        return boxed
    last = text.rstrip().rsplit("\n", 1)[-1]
    marked = _MARKED.fullmatch(last)
    return marked["said"].strip(" \t*_") if marked else text


def _boxed(text: str) -> str | None:
    r"""Return the content of the last `\boxed{…}`, whose braces may nest; None without one."""
    begin = text.rfind("\\boxed{")
    if begin < 0:
        return None
    begin, depth = begin + len("\\boxed{"), 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            inner = text[begin:at].strip()
            wrapped = re.fullmatch(r"\\(?:text|mathrm|textbf)\{(.*)\}", inner, re.DOTALL)
            return (wrapped[1] if wrapped else inner).strip()
    return None


def read_choice(text: str, labels: Iterable[str]) -> str | None:
    """Return the label that a free text names, or None where it names none, several or denies one.

    A whole label wins, after NFC and trimming; else one that is left when phrases and marks around
    it are taken off, whatever its case; else the text must name exactly one label as whole words,
    in any script. A label that is only part of a longer label that is also named does not count:
    "card" in "card lost".
    """
    by_form, folded = _forms(tuple(labels))
    # One after the other: most answers are a label as they stand, and need no more reading.
    for read in (str, without_thoughts, final_answer):
        said = read(text)
        whole = _nfc(said)
        if whole in by_form:
            return by_form[whole]
        for candidate in (whole, whole.strip(AROUND)):
            if (found := folded.get(_folded(candidate))) is not None:
                return found
    return _named_in(final_answer(text).strip(AROUND), folded)


def _named_in(text: str, folded: Mapping[str, str]) -> str | None:
    """Return the one label that a sentence names and does not deny."""
    named: str | None = None
    places: list[tuple[int, int]] = []
    for label, begin, end in _claims(text, folded):
        if named not in (None, label):
            return None
        named = label
        places.append((begin, end))
    low = _folded(text)
    if any(_NEGATION_AFTER.match(low, end) for _, end in places):
        return None
    denied = _denied(low) if places else b""
    return None if any(denied[begin] for begin, _ in places) else named


def _denied(low: str) -> bytearray:
    """Return for each place of a text whether what begins there is denied.

    Each negation is looked at once. From each mention back to the begin of its clause, an answer of
    one label a million times would be read for hours.
    """
    places = bytearray(len(low) + 1)
    for negation in _DENIALS:
        for found in negation.finditer(low):
            begin, end = found.span(1)
            places[begin : end + 1] = b"\1" * (end + 1 - begin)
    return places


def _claims(text: str, folded: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """Yield each mention of a label with where it begins and ends; the longer label first."""
    low = _folded(text)
    letters = letters_of(low)
    same_places = len(low) == len(text)
    taken = bytearray(len(low))
    for form in sorted(folded, key=len, reverse=True):
        at = low.find(form)
        one_letter = len(form) == 1 and form.isascii() and form.isalpha()
        while form and at >= 0:
            end = at + len(form)
            whole = cuts_no_word(letters, at, end)
            if whole and one_letter:
                said = text[at] if same_places else low[at]
                whole = said == folded[form] and bool(_SAID_OF_A_LETTER.match(text, end))
            if whole and not any(taken[at:end]):
                taken[at:end] = b"\1" * len(form)
                yield folded[form], at, end
            at = low.find(form, at + 1)


@lru_cache(maxsize=16)
def _forms(labels: tuple[str, ...]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return labels by their trimmed forms, and by folded ones that no two labels share."""
    by_form = {_nfc(label): label for label in labels}
    shared = Counter(map(_folded, by_form))
    folded = {_folded(form): label for form, label in by_form.items()}
    return by_form, {form: label for form, label in folded.items() if shared[form] == 1}


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _folded(text: str) -> str:
    """Return a text without case, full-width letters as their ASCII kin."""
    if text.isascii():
        return text.lower()
    return with_ascii_marks(unicodedata.normalize("NFC", text)).casefold()


def plain(text: str) -> str:
    """Reduce a short answer to what it says: without case, articles and marks that say nothing.

    A sign, a point or a percent sign belongs to the answer: -5 is not 5, 3.5 not 35, C++ not C. An
    article or a mark that is all there is stays: "A" is not empty, "+" not "-".
    """
    text = " ".join(_folded(final_answer(text)).split())
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)  # the thousands' commas of a number
    kept = re.sub(r"[\"'`*_()\[\]{};!?]|[.,:-](?!\d)", "", text)
    words = [word for word in kept.split() if word not in ("a", "an", "the")]
    return " ".join(words) or text


_NO_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


def squad_normalised(text: str) -> str:
    """Normalise a short answer as SQuAD's official evaluation does.

    Lower case, no punctuation, no articles, single spaces (Rajpurkar et al. 2016, evaluate-v2.0).
    Marks outside ASCII are treated as their ASCII kin, which that script leaves in.
    """
    text = with_ascii_marks(text).lower()
    text = text.translate(_NO_PUNCTUATION)
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())
