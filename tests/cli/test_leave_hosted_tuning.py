"""The how-to page on leaving hosted tuning: every command of it is run, in its order.

Against a real server of a tiny model in a process of its own, as its readers ask one: a scripted
server would not show that a whole conversation is understood.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import harness, rows_of
from tiny_models import write_model

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "leave-hosted-tuning.md").read_text()
SERVER = ROOT / "tests" / "support" / "hosted_server.py"
KEY = "sk-0aa1-never-to-be-written"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    model = write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, str(SERVER), model.location, KEY], **pipes) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.kill()


def commands():
    lines = "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)).splitlines()
    assert lines[0].startswith("export OPENAI_API_KEY=")
    words = [shlex.split(line) for line in lines[1:]]
    assert all(line[:3] == ["python", "-m", "harness"] for line in words)
    assert [line[3] for line in words] == ["new", "check", "record", "run"]
    return [line[3:] for line in words]


def rows(n, prefix):
    system = {"role": "system", "content": "Which team gets this letter?"}
    for i in range(n):
        asked = {"role": "user", "content": f"{prefix} {i}: {('late box', 'wrong bill')[i % 2]}"}
        right = {"role": "assistant", "content": ("post", "money")[i % 2]}
        yield json.dumps({"messages": [system, asked, right]}) + "\n"


def test_every_command_of_the_page_works_in_its_order(tmp_path, url, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "openai.jsonl").write_text("".join(rows(40, "letter")))
    (tmp_path / "held_out.jsonl").write_text("".join(rows(6, "new letter")))
    new, check, record, run = commands()

    here = ("--base-url", url, "--key-env", "OPENAI_API_KEY")  # the page's server is OpenAI's own
    made = harness(*new, *here, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert harness(*check, cwd=tmp_path).returncode == 0
    kept = harness(*record, cwd=tmp_path)
    assert kept.returncode == 0, kept.stderr
    assert f"({url}) with the key in OPENAI_API_KEY" in kept.stderr
    assert "6 of 6 test rows are answered in mail/recorded/hosted.jsonl" in kept.stdout

    [line] = re.findall(r"```yaml\n(.*)\n```", PAGE)
    assert line in kept.stdout.splitlines()
    task = tmp_path / "mail" / "task.yaml"
    lines = [line if '"hosted"' in old else old for old in task.read_text().splitlines()]
    task.write_text("\n".join(lines) + "\n")
    monkeypatch.delenv("OPENAI_API_KEY")
    ran = harness(*run, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    arms = rows_of(tmp_path / "runs" / "mail")
    assert {arms[name]["status"] for name in ("majority", "tfidf", "hosted")} == {"ok"}
    assert arms["hosted"]["p50_s"] > arms["majority"]["p50_s"]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_the_page_gives_the_dates_with_their_source():
    for words in ("2027-01-06", "2027-01-14", "OpenAI's deprecations page, read on 2026-11-29"):
        assert words in PAGE
