"""A chat template under a task's settings: in which form it shows a conversation, and whether.

A template is tried on marks: characters for private use that no template writes by itself. What
becomes of them tells what becomes of a prompt. Knows nothing of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from harness.errors import ModelError
from harness.lm.chat.opening import Opening, opening_of
from harness.types import THOUGHT_SWITCHES, ChatSettings, Conversation, Prompt, RunningText

MARK = "\ue000{}\ue001"
SYSTEM, ANSWER, NEXT = (MARK.format(name) for name in ("s", "a", "n"))
TURNS = {
    False: {"the user's turn": MARK.format(0)},
    True: {
        "the user's first turn": MARK.format(0),
        "the assistant's turn": MARK.format(1),
        "the user's last turn": MARK.format(2),
    },
}
"""What a template is tried on: one turn, or a conversation with a demonstration."""
DATE_PARTS = "YmdBbAaeyjFDHMSIp"
"""Directives of strftime that templates use; the hour is midnight."""


def messages(prompt: Prompt, system: str | None = None) -> list[dict[str, Any]]:
    """Return a prompt as a chat's messages: who says what, a system turn first.

    Running text is one turn of the user: a chat knows nothing else.
    """
    turns, system = turns_of(prompt), system_of(prompt, system)
    said = [
        {"role": "assistant" if number % 2 else "user", "content": turn}
        for number, turn in enumerate(turns)
    ]
    return [{"role": "system", "content": system}, *said] if system else said


def turns_of(prompt: Prompt) -> tuple[str, ...]:
    """Return the turns of a prompt, the user's first."""
    if isinstance(prompt, RunningText):
        return (prompt.text,)
    if isinstance(prompt, Conversation):
        return prompt.turns
    return (prompt,) if isinstance(prompt, str) else prompt


def system_of(prompt: Prompt, system: str | None) -> str | None:
    """Return the text of the system turn: what the task says there, and under it the prompt's."""
    own = prompt.system if isinstance(prompt, Conversation) else None
    return "\n\n".join(text for text in (system, own) if text) or None


def running_text(prompt: Prompt, system: str | None = None) -> str:
    """Return a prompt as one text, for a model that knows no turns."""
    turns, system = turns_of(prompt), system_of(prompt, system)
    answered = zip(turns[::2], turns[1::2], strict=False)
    above = [system] if system else []
    return "\n\n".join([*above, *(f"{asked} {answer}" for asked, answer in answered), turns[-1]])


@dataclass(frozen=True)
class Form:
    """How a template wants a conversation."""

    parts: bool = False
    """Each content as a list of parts."""
    system_apart: bool = True
    """A system turn as a message of its own; else its text stands above the user's first turn."""


@dataclass(frozen=True)
class View:
    """What a template makes of a prompt of some shape."""

    form: Form
    opening: Opening
    lost: str | None = None
    """What it does not show, in words that follow "its chat template"; None: it shows all."""


class ChatTemplate:
    """A tokenizer's chat template under a task's settings.

    Args:
        tokenizer: one that has a template.
        settings: what the task adds to every prompt.
    """

    def __init__(self, tokenizer: Any, settings: ChatSettings):
        self.tokenizer = tokenizer
        self.settings = settings
        self._views: dict[bool, View] = {}

    def text(self, prompt: Prompt, thoughts: bool = False) -> str:
        """Return a prompt up to where the answer begins.

        Args:
            prompt: one turn or a conversation.
            thoughts: up to where the thoughts begin, if the template has the model think.

        Raises:
            ModelError: the template does not show all of it.
        """
        view = self.view(len(turns_of(prompt)) > 1)
        if view.lost:
            raise ModelError(f"its chat template {view.lost}")
        said = self._said(prompt, self.settings.system, view.form)
        behind = view.opening.to_thoughts if thoughts else view.opening.to_answer
        asked = self._rendered(said, add_generation_prompt=True) + behind
        return asked.removesuffix(view.opening.blank)

    def view(self, several: bool) -> View:
        """Return what becomes of a prompt of one turn, or of several."""
        if several not in self._views:
            self._views[several] = self._tried(several)
        return self._views[several]

    def behind_answer(self, *after: str) -> str:
        """Return what is rendered between an answer and the end, or the next turn if one is given.

        Nothing, where the template shows no answer.
        """
        following = messages(after[0]) if after else []
        said = [*messages(MARK.format(0)), *_answered(ANSWER), *following]
        try:
            rendered = self._rendered(_in_form(said, self.view(several=False).form))
        except Exception:  # a template raises whatever its author thought of
            return ""
        behind = rendered.partition(ANSWER)[2]
        return behind.partition(after[0])[0] if after else behind

    def reads(self, variable: str) -> bool:
        """Tell whether the template looks at a variable."""
        return re.search(rf"\b{re.escape(variable)}\b", self._source) is not None

    @property
    def has_thoughts(self) -> bool:
        """Whether the template opens or closes a thought before an answer."""
        opening = self.view(several=False).opening
        return opening.closes_thought or bool(opening.thought)

    @property
    def prints_date(self) -> bool:
        """Whether the template prints the day on which it is rendered."""
        return "strftime_now" in self._source

    def remarks(self) -> Iterator[str]:
        """Say how prompts differ from what is asked, for the record."""
        view = self.view(several=False)
        if view.lost:
            return  # whoever renders a prompt says so
        if self.settings.asks_thoughts:
            yield "asked to think: text stands behind thoughts, labels and JSON behind a closed one"
        elif view.opening.closes_thought:
            yield "answers without its thoughts: these stand closed before every answer"
        if view.form.parts:
            yield "contents go in as lists of parts, as its chat template wants them"
        if self.settings.system and not view.form.system_apart:
            yield "its chat template has no system turn: the text stands above the first question"
        if self.prints_date and self.settings.date:
            yield f"its chat template prints a date: {self.settings.date} in every prompt"

    @cached_property
    def _source(self) -> str:
        return str(self.tokenizer.get_chat_template())

    @cached_property
    def _dated(self) -> str:
        """The template with the settings' date in place of the day on which it is rendered."""
        if self.settings.date is None or not self.prints_date:
            return self._source
        # A macro of the same name hides the function that transformers hands in. Its newline is
        # taken by `trim_blocks`, so that what follows is rendered as it stands.
        day = date.fromisoformat(self.settings.date)
        values = {f"%{part}": day.strftime(f"%{part}") for part in DATE_PARTS}
        values |= {f"%-{part}": day.strftime(f"%{part}").lstrip("0") or "0" for part in "dmjHIM"}
        replaced = "".join(f"|replace({key!r}, {value!r})" for key, value in values.items())
        macro = f"{{% macro strftime_now(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}\n"
        return macro + self._source

    def _rendered(self, said: Sequence[Mapping[str, Any]], **how: Any) -> str:
        # Thoughts are off unless they are asked for: labels and trained answers have none.
        asked = self.settings.asks_thoughts
        switches = {} if asked else dict.fromkeys(THOUGHT_SWITCHES, False)
        given = {**switches, **self.settings.template_kwargs, **how}
        return str(
            self.tokenizer.apply_chat_template(
                said, chat_template=self._dated, tokenize=False, **given
            )
        )

    def _said(self, prompt: Prompt, system: str | None, form: Form) -> list[dict[str, Any]]:
        """Return a prompt's messages in a form."""
        turns, system = turns_of(prompt), system_of(prompt, system)
        prompt = turns
        if system and not form.system_apart:
            prompt, system = (f"{system}\n\n{turns[0]}", *turns[1:]), None
        return _in_form(messages(prompt, system), form)

    def _tried(self, several: bool) -> View:
        """Return the first form in which the template shows all, or else what is lost."""
        failed: list[View] = []
        for form in self._forms():
            view = self._seen(several, form)
            if view.lost is None:
                return view
            failed.append(view)
        # What is shown in part tells more than what is refused outright.
        return min(failed, key=lambda view: str(view.lost).startswith("refuses"))

    def _forms(self) -> Iterator[Form]:
        """Yield the forms to try: text before parts, a system turn before text above the user's."""
        for apart in (True, False) if self.settings.system else (True,):
            for parts in (False, True):
                yield Form(parts, apart)

    def _seen(self, several: bool, form: Form) -> View:
        turns = TURNS[several]
        system = SYSTEM if self.settings.system else None
        said = self._said(tuple(turns.values()), system, form)
        try:
            asked = self._rendered(said, add_generation_prompt=True)
        except Exception as problem:  # a template raises whatever its author thought of
            return View(form, Opening(), f"refuses {_named(turns)}: {_reason(problem)}")
        if lost := _lost(asked, turns, system, form):
            return View(form, Opening(), lost)
        try:
            written = self._rendered([*said, *_in_form(_answered(ANSWER), form)])
        except Exception:  # one that takes no assistant's turn last opens answers all the same
            written = ""
        head = written.partition(ANSWER)[0] if ANSWER in written else None
        opening = opening_of(asked, head, [*turns.values()][-1])
        if not self.settings.asks_thoughts or opening.closes_thought:
            return View(form, opening)
        # Behind its thoughts a label stands where it would stand without any.
        without = ChatTemplate(self.tokenizer, self.settings.without_thoughts())
        return View(form, opening.behind(without.view(several).opening))


def _answered(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]


def _in_form(said: list[dict[str, Any]], form: Form) -> list[dict[str, Any]]:
    if not form.parts:
        return said
    return [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in said]


def _lost(rendered: str, turns: Mapping[str, str], system: str | None, form: Form) -> str | None:
    """Return what a rendered prompt lacks; None if every turn stands in it once and in order."""
    places = {name: rendered.find(mark) for name, mark in turns.items()}
    if missing := [name for name, at in places.items() if at < 0]:
        return f"does not show {' and '.join(missing)}"
    if twice := [name for name, mark in turns.items() if rendered.count(mark) > 1]:
        return f"shows {' and '.join(twice)} more than once"
    if [*places.values()] != sorted(places.values()):
        return "shows the turns in another order"
    if form.parts and re.search(r"""['"]type['"]: ?['"]text['"]""", rendered):
        return "shows a list of parts as code"
    # Some put the system's text beside the last question, as they were trained.
    if system and (rendered.count(system) != 1 or rendered.find(system) > max(places.values())):
        return "does not show the system turn"
    return None


def _named(turns: Mapping[str, str]) -> str:
    return "a conversation of three turns" if len(turns) > 1 else "a user's turn"


def _reason(problem: Exception) -> str:
    return str(problem).strip().split("\n")[0] or type(problem).__name__
