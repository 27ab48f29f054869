"""Keys are found in every cheap form, and in an environment by name, value and copy."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.machine.secrets import all_without, kept, without

KEY = "sk-5f0c+never/to=be"
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)


@given(keys, st.binary(max_size=5), st.binary(max_size=5))
def test_a_key_is_found_in_base64_wherever_it_stands_in_the_bytes(key, before, after):
    text = base64.b64encode(before + key.encode() + after).decode()
    found = without(key, text)
    assert "[key]" in found
    # What is left beside it are the neighbours' bytes and those shared with them.
    assert len(found) <= len("[key]") + 4 * 6


@given(keys, st.text(max_size=20), st.text(max_size=20))
def test_a_key_is_found_as_it_is_between_anything(key, before, after):
    assert key not in without(key, f"{before}{key}{after}").replace("[key]", "")


@given(keys)
def test_a_key_is_found_in_json_and_in_python(key):
    assert without(key, json.dumps({"a": key})) == '{"a": "[key]"}'
    assert without(key, repr([key])[2:-2]) == "[key]"


@pytest.mark.parametrize("kept_n", [12, 15, 18])
def test_a_beginning_of_a_key_is_the_key(kept_n):
    assert without(KEY, f"wrong key {KEY[:kept_n]}*** {KEY[:kept_n]}") == "wrong key [key]*** [key]"


def test_a_text_without_a_key_stays_as_it_is():
    text = "sk-5f0 never to be " * 1000
    assert without(KEY, text) is text
    assert without(None, text) is text


def test_a_short_key_is_left_where_it_may_be_a_word():
    assert without("none", "none of these", shortest=8) == "none of these"
    assert without("none", "none of these") == "[key] of these"


def test_all_texts_of_a_value_are_searched_and_halves_of_pairs_made_whole():
    value = {KEY: [1, None, {"a": f"x{KEY}", "b": "\ud800"}]}
    assert all_without(KEY, value) == {"[key]": [1, None, {"a": "x[key]", "b": "�"}]}


SECRETS = {
    "OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x", "HF_TOKEN": "x", "GITHUB_TOKEN": "x",
    "HUGGING_FACE_HUB_TOKEN": "x", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x", "DB_PASSWORD": "x", "PGPASSWORD": "x", "SSH_AUTH_SOCK": "x",
    "GOOGLE_APPLICATION_CREDENTIALS": "x", "SENTRY_DSN": "x", "wandb_api_key": "x", "MYTOKEN": "x",
    "SLACK_WEBHOOK_URL": "x", "GITLAB_PAT": "x", "NAME_OF_NOTHING": "sk-x", "N2": "hf_abc",
    "N3": "ghp_abc", "N4": "AKIAX", "PIP_INDEX_URL": "https://me:pass@host/simple",
    "https_proxy": "http://me:pass@proxy:1", "DATABASE_URL": "postgres://u:p@h/db",
}  # fmt: skip
ORDINARY = {
    "PATH": "/bin", "HOME": "/home/me", "LANG": "C", "TOKENIZERS_PARALLELISM": "false",
    "PYTHONPATH": "a:b@c", "http_proxy": "http://proxy:1", "OMP_NUM_THREADS": "1", "KEYBOARD": "us",
    "XDG_CACHE_HOME": "/c", "COMPASS": "n", "AUTHOR": "me", "MONKEY": "x", "HF_HOME": "/hf",
}  # fmt: skip


def test_variables_that_hold_secrets_are_known_by_name_or_value():
    assert kept({**SECRETS, **ORDINARY}) == ORDINARY


def test_a_process_keeps_its_own_secret_and_no_copy_of_others():
    environment = {"MINE": "mine-mine", "OTHER": "other-other", "COPY": "x other-other", "A": "a"}
    found = kept(environment, own=["MINE"], others=["MINE", "OTHER"])
    assert found == {"MINE": "mine-mine", "A": "a"}


def test_a_user_may_have_a_variable_kept():
    found = kept({**SECRETS, "HARNESS_KEEP": "HF_TOKEN, DB_PASSWORD"})
    assert set(found) == {"HF_TOKEN", "DB_PASSWORD", "HARNESS_KEEP"}
