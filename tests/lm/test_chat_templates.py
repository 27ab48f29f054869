"""What models of each family are told: every turn, once, up to where their answers begin."""

from __future__ import annotations

from itertools import product

import pytest
from chat_tokenizer import chat_model, chat_tokenizer, written_tokenizer

from harness.errors import ModelError
from harness.lm import answer_tokens, prompt_tokens
from harness.lm.chat import ChatTemplate, end_of_turn
from harness.types import ChatSettings
from harness.wording.thoughts import behind_thoughts

THINK = "<think>\n\n</think>\n\n"
IM = "<|im_end|>\n<|im_start|>assistant\n"
FAMILIES = {
    # between a user's turn and the answer, the end of the answer, whether a thought is closed
    "qwen3": (IM + THINK, "<|im_end|>", True),
    "qwen3.5": (IM + THINK, "<|im_end|>", True),
    "deepseek-r1-distill": ("<｜Assistant｜>" + THINK, "<｜end▁of▁sentence｜>", True),
    "nemotron-nano-v2": ("\n<SPECIAL_11>Assistant\n" + THINK, "<SPECIAL_12>", True),
    "glm-4.6": ("/nothink<|assistant|>\n<think></think>\n", "<|user|>", True),
    "gpt-oss": ("<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>", True),
    "gemma-3": ("<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>", False),
    "gemma-4": ("<turn|>\n<|turn>model\n<|channel>thought\n<channel|>", "<turn|>", True),
    "deepseek-v3.1": ("<｜Assistant｜></think>", "<｜end▁of▁sentence｜>", True),
    "kimi-k2.5": (
        "<|im_end|><|im_assistant|>assistant<|im_middle|><think></think>",
        "<|im_end|>",
        True,
    ),
    "llama-3.2": (
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
        False,
    ),
    "mistral-7b-v0.1": (" [/INST]", "</s>", False),
    "mistral-7b-v0.3": ("[/INST]", "</s>", False),
    "phi-4-mini": ("<|end|><|assistant|>", "<|end|>", False),
    "parts-only": (IM, "<|im_end|>", False),
    "system-dropped": (IM, "<|im_end|>", False),
    "system-refused": (IM, "<|im_end|>", False),
    "trimmed": (IM, "<|im_end|>", False),
    "no-generation-prompt": (IM, "<|im_end|>", False),
}
PROMPTS = ("What floats?", ("Up?", "sky", "Down?"))
SETTINGS = ({}, {"system": "Be brief."})
LOST = {
    # with one turn, and with several
    "last-turn-only": (None, "does not show the user's first turn and the assistant's turn"),
    "user-turns-only": (None, "does not show the assistant's turn"),
    "two-turns-refused": (None, "refuses a conversation of three turns: One question at a time"),
    "parts-as-code": ("does not show the user's turn", "does not show the user's first turn"),
    "turns-twice": ("shows the user's turn more than once", "the user's last turn more than once"),
    "damaged": ("refuses a user's turn: Unexpected end of template", "refuses a conversation"),
}


def rendered(name, prompt, **settings):
    lm = chat_model(chat_tokenizer(name), **settings)
    return lm.tokenizer.decode(prompt_tokens(lm, prompt), skip_special_tokens=False)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_answer_begins_behind_its_closed_thoughts_and_ends_as_the_template_ends_it(name):
    opening, end, thinks = FAMILIES[name]
    tokenizer = chat_tokenizer(name)
    for several in (False, True):
        found = ChatTemplate(tokenizer, ChatSettings()).view(several)
        assert found.lost is None
        assert (found.opening.text, found.opening.closes_thought) == (opening, thinks)
    assert tokenizer.decode([end_of_turn(tokenizer)]) == end


@pytest.mark.parametrize(("name", "prompt", "settings"), [*product(FAMILIES, PROMPTS, SETTINGS)])
def test_every_turn_is_shown_once_and_in_order_behind_one_beginning(name, prompt, settings):
    text = rendered(name, prompt, **settings)
    turns = (prompt,) if isinstance(prompt, str) else prompt
    places = [text.find(turn) for turn in turns]
    assert min(places) >= 0
    assert places == sorted(places)
    assert all(text.count(turn) == 1 for turn in turns)
    assert text.count("Be brief.") == len(settings)
    assert text.count("<s>") == ("bos_token" in chat_tokenizer(name).chat_template)
    assert text.endswith(FAMILIES[name][0])


@pytest.mark.parametrize("name", LOST)
def test_what_is_not_shown_is_refused_with_the_turn_and_a_remedy(name):
    lm = chat_model(chat_tokenizer(name))
    for prompt, lost in zip(PROMPTS, LOST[name], strict=True):
        if lost is None:
            assert prompt in lm.tokenizer.decode(prompt_tokens(lm, prompt))
            continue
        with pytest.raises(
            ModelError, match=r"'small': its chat template .* → use a model"
        ) as told:
            prompt_tokens(lm, prompt)
        assert lost in str(told.value)


def test_of_several_templates_the_default_is_taken_and_without_one_the_model_is_refused():
    tokenizer = written_tokenizer("")
    templates = {name: chat_tokenizer(name).chat_template for name in ("trimmed", "phi-4-mini")}
    tokenizer.chat_template = {"default": templates["trimmed"], "tool_use": "tools"}
    assert chat_model(tokenizer).chat.text("Up?").endswith("Up?" + IM)
    tokenizer.chat_template = templates
    with pytest.raises(ModelError, match="refuses a user's turn: This model has multiple chat"):
        prompt_tokens(chat_model(tokenizer), "Up?")
    assert not list(chat_model(tokenizer).chat.remarks())


def test_a_template_that_shows_parts_gets_parts():
    view = ChatTemplate(chat_tokenizer("parts-only"), ChatSettings()).view(several=True)
    assert view.form.parts
    assert "<|im_start|>user\nWhat floats?<|im_end|>" in rendered("parts-only", PROMPTS[0])


@pytest.mark.parametrize("name", ["mistral-7b-v0.1", "system-dropped", "system-refused"])
def test_without_a_system_turn_its_text_stands_above_the_first_question(name):
    for prompt in PROMPTS:
        first = prompt if isinstance(prompt, str) else prompt[0]
        assert f"Be brief.\n\n{first}" in rendered(name, prompt, system="Be brief.")


def test_a_system_turn_stands_where_the_template_puts_it():
    assert "[INST] Be brief.\n\nDown?[/INST]" in rendered(
        "mistral-7b-v0.3", PROMPTS[1], system="Be brief."
    )
    assert "<|im_start|>system\nBe brief.<|im_end|>" in rendered("qwen3", "Up?", system="Be brief.")


def test_thoughts_that_are_asked_for_are_begun_and_labels_are_scored_behind_them():
    asked = {"template_kwargs": {"enable_thinking": True}}
    for name, begun, mark, closed in (
        ("qwen3", IM, "", THINK),
        ("qwen3.5", IM + "<think>\n", "<think>", THINK),
        ("deepseek-r1-distill", "<｜Assistant｜><think>\n", "<think>", THINK),
        ("glm-4.6", "<|assistant|>", "", "\n<think></think>\n"),
        ("gemma-4", "<turn|>\n<|turn>model\n", "", "<|channel>thought\n<channel|>"),
    ):
        lm = chat_model(chat_tokenizer(name), **asked)
        assert lm.thinks
        opening = lm.chat.view(several=False).opening
        assert lm.chat.text("Up?", thoughts=True).endswith("Up?" + begun)
        assert opening.thought == mark
        scored = lm.tokenizer.decode(prompt_tokens(lm, "Up?"), skip_special_tokens=False)
        assert scored.endswith(closed)


@pytest.mark.parametrize("name", ["llama-3.2", "gpt-oss"])
def test_the_date_of_the_run_is_printed_whatever_day_it_is(name):
    text = rendered(name, "Up?", date="2024-02-09")
    assert {"llama-3.2": "Today Date: 09 Feb 2024\n", "gpt-oss": "date: 2024-02-09\n"}[name] in text
    assert ChatTemplate(chat_tokenizer(name), ChatSettings()).prints_date
    assert not ChatTemplate(chat_tokenizer("qwen3"), ChatSettings()).prints_date


def test_a_frozen_date_changes_nothing_else_of_a_template():
    template = (
        "\n  {% if true %}{{ strftime_now('%-d. %B %Y') }}\n{% endif %}\n{{ messages[0].content }}"
    )
    text = ChatTemplate(written_tokenizer(template), ChatSettings(date="2026-03-04")).text("Up?")
    today = ChatTemplate(written_tokenizer(template), ChatSettings()).text("Up?")
    assert text.startswith("\n4. March 2026\n")
    lines, others = text.split("\n"), today.split("\n")
    assert [*lines[:1], *lines[2:]] == [*others[:1], *others[2:]]


def test_a_label_is_the_tokens_that_follow_in_the_template():
    lm = chat_model(chat_tokenizer("mistral-7b-v0.3"))
    assert lm.tokenizer.decode(answer_tokens(lm, "sky"), skip_special_tokens=False) == " sky</s>"
    assert rendered("mistral-7b-v0.3", "Up?").endswith("[/INST]")
    lm = chat_model(chat_tokenizer("phi-4-mini"))
    assert lm.tokenizer.decode(answer_tokens(lm, "sky"), skip_special_tokens=False) == "sky<|end|>"


def test_a_label_is_cut_where_it_stands_and_not_as_if_it_began_a_text():
    """As sentencepiece does it: a space is put before a text's first word."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<unk>": 0, "▁sky": 1, "s": 2, "k": 3, "y": 4, "▁": 5, "<0x0A>": 6, "\n": 7}
    merges = [("s", "k"), ("sk", "y"), ("▁", "sky")]
    vocabulary |= {"sk": 8, "sky": 9}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    core.decoder = decoders.Metaspace()
    core.add_special_tokens(["<|a|>", "<|e|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|e|>")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ ('<|a|>\n' if m.role == 'assistant' else '') + m.content }}"
        "<|e|>{% endfor %}{% if add_generation_prompt %}{{ '<|a|>\n' }}{% endif %}"
    )
    lm = chat_model(tokenizer)
    assert tokenizer("sky", add_special_tokens=False).input_ids == [1]
    assert answer_tokens(lm, "sky")[0] == vocabulary["sky"]


def test_special_tokens_that_mark_thoughts_stay_in_what_is_generated():
    """gpt-oss's channels and Gemma 4's: without them a thought would pass as the answer."""
    said = "<|channel|>analysis<|message|>ham?<|end|><|start|>assistant"
    said += "<|channel|>final<|message|>spam<|return|>"
    lm = chat_model(chat_tokenizer("gpt-oss"))
    text = lm._text(lm.tokenizer(said, add_special_tokens=False).input_ids)
    assert text == "<|channel|>analysis<|message|>ham?assistant<|channel|>final<|message|>spam"
    assert behind_thoughts(text) == "spam"
    lm = chat_model(chat_tokenizer("gemma-4"))
    ids = lm.tokenizer("<|channel>thought\nham<channel|>spam<turn|>", add_special_tokens=False)
    assert lm._text(ids.input_ids) == "<|channel>thought\nham<channel|>spam"
    lm = chat_model(chat_tokenizer("phi-4-mini"))
    ids = lm.tokenizer("a b<|end|><|assistant|>c", add_special_tokens=False).input_ids
    assert lm._text(ids) == lm.tokenizer.decode(ids, skip_special_tokens=True) == "a bc"


def test_an_end_that_is_a_token_but_no_special_one_ends_a_turn():
    tokenizer = chat_tokenizer("trimmed", plain=("<|im_end|>",))
    tokenizer.add_tokens(["<|im_end|>"])
    assert tokenizer.decode([end_of_turn(tokenizer)]) == "<|im_end|>"


def test_without_a_template_a_system_text_stands_above_all():
    tokenizer = written_tokenizer("")
    tokenizer.chat_template = None
    lm = chat_model(tokenizer, system="Be brief.")
    assert tokenizer.decode(prompt_tokens(lm, PROMPTS[1])) == "Be brief.\n\nUp? sky\n\nDown?"
