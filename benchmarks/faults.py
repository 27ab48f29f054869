"""Whether anything is lost, anybody gets in or any arm ends the others: all faults, counted.

Runs are killed at random moments (kills.py); all else is the tests' own tables of damage, hostile
files, misbehaving code and servers, run whole and counted case by case. What hostile tasks ask of
`check` is measured in a process of its own for each. Needs no model; no peer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from time import monotonic
from typing import Any
from xml.etree import ElementTree

from benchmarks.kills import kills
from benchmarks.sides import NO_PEER, ROOT, Sides
from harness.errors import UserError
from harness.machine.git import git_commit

PACKAGES = ()
MODEL = None
INSTALL = "pip install -c constraints.txt -e '.[test]'"
KILLS, QUICK_KILLS = 200, 8
KEPT = ROOT / "runs" / "faults"
"""What was found so far: each part has a file there, and is done again if that is taken away."""
MOST_S, MOST_BYTES = 10.0, 10**9
"""What `check` may take for any task."""


@dataclass(frozen=True)
class Part:
    """One kind of fault, and the tests that are its table."""

    name: str
    asserted: str
    """What holds of each case that passes."""
    tests: tuple[str, ...]
    measured: bool = False
    """Whether the tasks that its tests leave are checked once more, each in a process."""


DAMAGE = "tests/run/test_damage.py::test_"
PARTS = (
    Part(
        "damaged files: report, run, predict",
        "found and named, made anew, or harmless: no score changes in silence",
        (
            f"{DAMAGE}a_report_gives_the_same_or_names_the_file",
            f"{DAMAGE}a_run_gives_the_same_and_mends_what_it_can",
            f"{DAMAGE}new_inputs_are_answered_as_before_or_not_at_all",
            "tests/run/test_own_metrics.py",
        ),
    ),
    Part(
        "deaths before each write",
        "the next run comes to the same comparison",
        (f"{DAMAGE}a_run_that_is_killed_before_any_write_goes_on_to_the_same_comparison",),
    ),
    Part(
        "misbehaving arms, strategies and metrics",
        "a row or a fault with its reason; the others run",
        (
            "tests/run/test_misbehaving_arms.py",
            "tests/task/test_code_check.py",
            "tests/metrics/test_apart.py",
        ),
    ),
    Part(
        "what a worker leaves running",
        "ended with it, or with its parent; the lock is free, no input stays",
        ("tests/run/test_keeper.py", "tests/run/test_processes.py"),
    ),
    Part(
        "hostile task and data files",
        "refused with a line, left out with a reason, or read right",
        ("tests/task/hostile",),
        measured=True,
    ),
    Part(
        "modes of a hosted server",
        "an answer or a row with its reason; no key or prompt leaks",
        ("tests/lm/hosted/test_server_modes.py",),
    ),
    Part(
        "run folders of others",
        "no code executed, nothing unpickled, no request sent",
        (
            "tests/run/test_foreign_folder.py",
            "tests/retrieval/test_hostile_folder.py",
            "tests/test_opened_as_data.py",
            "tests/machine/test_git.py",
        ),
    ),
    Part(
        "hostile strings in HTML, Markdown and terminal",
        "shown as text; none executed",
        ("tests/reports/test_hostile_texts.py", "tests/cli/test_plain.py"),
    ),
)


def run(sides: Sides) -> dict[str, Any]:
    """Do every part that is not done yet, and return all that was found.

    Raises:
        UserError: the tests cannot be run here.
    """
    if find_spec("pytest") is None:
        raise UserError(f"faults runs the tests, and pytest is not installed → {INSTALL}")
    KEPT.mkdir(parents=True, exist_ok=True)
    found = {}
    for number, part in enumerate(PARTS):
        found[part.name] = _kept(number, part, sides)
        sides.say(_line(part.name, found[part.name]))
    killed = kills(KEPT, QUICK_KILLS if sides.quick else KILLS, sides.say)
    sides.say(f"kills survived: {killed['survived']} of {killed['kills']} ({killed['by_way']})")
    print(table(found, killed))
    return {**NO_PEER, "parts": found, "kills": killed}


def _kept(number: int, part: Part, sides: Sides) -> dict[str, Any]:
    """Return what was found of a part, before or now; one that was not held is done again."""
    file = KEPT / f"{'quick' if sides.quick else 'whole'}-{number}.json"
    if file.exists():
        found: dict[str, Any] = json.loads(file.read_text())
        if found["name"] == part.name and not found["not_held"]:
            return found
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        found = {"name": part.name, "commit": git_commit(ROOT)}
        found |= _tested(part, Path(folder), sides.quick)
    file.write_text(json.dumps(found, indent=1))
    return found


def _tested(part: Part, folder: Path, quick: bool) -> dict[str, Any]:
    """Run the tests of a part and count their cases."""
    result = folder / "result.xml"
    words = ["-q", "-n0", "-p", "no:cacheprovider", f"--junitxml={result}"]
    words += ["-o", "junit_family=xunit1"]  # the one that holds what tests record
    words += [f"--basetemp={folder / 'left'}", *(["-m", "not slow"] if quick else [])]
    begin = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *part.tests],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if not result.is_file():
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}")
    cases = list(_cases(result))
    found = {
        "cases": sum(case.number for case in cases if case.ending != "skipped"),
        "not_held": [case.name for case in cases if case.ending in ("failure", "error")],
        "skipped": [case.name for case in cases if case.ending == "skipped"],
        "wall_s": round(monotonic() - begin),
    }
    return found | (_checked(cases) if part.measured else {})


@dataclass(frozen=True)
class Case:
    """A test, and how it ended."""

    name: str
    ending: str | None
    """None: as it should."""
    number: int
    """Of cases that it went through itself; it says so where they are several."""
    folder: str | None
    """Where it left a task."""


def _cases(result: Path) -> Iterator[Case]:
    for test in ElementTree.parse(result).iter("testcase"):  # noqa: S314 - pytest wrote it
        told = {one.get("name"): one.get("value") for one in test.iter("property")}
        endings = (one.tag for one in test if one.tag in ("failure", "error", "skipped"))
        yield Case(
            name=str(test.get("name")),
            ending=next(endings, None),
            number=int(told.get("cases") or 1),
            folder=told.get("folder"),
        )


def _checked(cases: list[Case]) -> dict[str, Any]:
    """Check every task that tests left, and return the longest time and the largest memory."""
    found = [
        (case.name, *_check(task))
        for case in cases
        for task in sorted(Path(case.folder or "nowhere").rglob("task.yaml"))
    ]
    beyond = [name for name, s, size, _ in found if s > MOST_S or size > MOST_BYTES]
    ended = [name for name, _, _, code in found if code not in (0, 2)]
    return {
        "checked": len(found),
        "longest_s": list(max(((name, s) for name, s, _, _ in found), key=itemgetter(1))),
        "largest_bytes": list(max(((name, b) for name, _, b, _ in found), key=itemgetter(1))),
        "beyond": beyond,
        "neither_refused_nor_read": ended,
    }


def _check(task: Path) -> tuple[float, int, int]:
    """Return the CPU seconds and peak bytes of `check`, and its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "check", str(task)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode


def table(found: dict[str, dict[str, Any]], killed: dict[str, Any]) -> str:
    """Return the figures as the table of README.md."""
    lines = ["| `faults` | cases | held | what holds |", "|---|---|---|---|"]
    ways = ", ".join(f"{how} {ok} of {n}" for how, (ok, n) in killed["by_way"].items())
    lines.append(
        f"| kills at random moments ({ways}) | {killed['kills']} | {killed['survived']} |"
        " the next run comes to the comparison of an undisturbed one; nothing runs on or stays |"
    )
    for part in PARTS:
        of = found[part.name]
        held = f"{of['cases'] - len(of['not_held']):,}"
        lines.append(f"| {part.name} | {of['cases']:,} | {held} | {part.asserted}{_taken(of)} |")
    return "\n".join(lines)


def _taken(found: dict[str, Any]) -> str:
    if "checked" not in found:
        return ""
    longest, largest = found["longest_s"], found["largest_bytes"]
    return (
        f"; `check` of {found['checked']} of them, each in a process: at most {longest[1]:.1f} s of"
        f" CPU ({_case(longest)}) and {largest[1] / 1e6:.0f} MB ({_case(largest)})"
    )


def _case(found: list[Any]) -> str:
    """Return the words between brackets in a test's name."""
    return str(found[0]).partition("[")[2].rstrip("]") or str(found[0])


def _line(name: str, found: dict[str, Any]) -> str:
    told = f"{name}: {found['cases']} cases in {found['wall_s']} s"
    for key in ("not_held", "skipped", "beyond", "neither_refused_nor_read"):
        told += f"; {key}: {found[key]}" if found.get(key) else ""
    return told
