"""Whatever somebody else's code raises or changes ends with the call."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from harness.errors import StrategyError, UserError
from harness.files.guarded import guarded


class MuteError(Exception):
    def __repr__(self):
        raise ValueError("not even this")


class OwnError(BaseException):
    pass


def deep():
    return deep()


def leave(code):
    sys.exit(code)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: leave(0), "), which would end the whole command"),
        (lambda: leave(3), "SystemExit(3)"),
        (lambda: 1 / 0, "ZeroDivisionError('division by zero') (test_guarded.py:"),
        (deep, "RecursionError"),
        (lambda: bytearray(1 << 62), "MemoryError"),
        (lambda: (_ for _ in ()).throw(KeyboardInterrupt()), "KeyboardInterrupt()"),
        (lambda: (_ for _ in ()).throw(GeneratorExit()), "GeneratorExit()"),
        (lambda: (_ for _ in ()).throw(OwnError("x")), "OwnError('x')"),
        (lambda: (_ for _ in ()).throw(MuteError()), "own code: MuteError"),
        (lambda: (_ for _ in ()).throw(ValueError("a" * 10**6)), "characters left out"),
    ],
)
def test_whatever_is_raised_is_one_error_of_one_line(act, words):
    with pytest.raises(StrategyError) as caught, guarded("own code"):
        act()
    assert words in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert "\n" not in str(caught.value)


def test_errors_of_ours_and_those_that_may_pass_do():
    with pytest.raises(UserError, match="as it is"), guarded("own code"):
        raise UserError("as it is")
    with pytest.raises(KeyError), guarded("own code", passing=KeyError):
        raise KeyError("as it is")


def test_code_is_stopped_after_its_time_and_again_if_it_catches_that():
    caught_times = []

    def stubborn():
        try:
            time.sleep(30)
        except BaseException as problem:
            caught_times.append(problem)
        time.sleep(30)

    with pytest.raises(StrategyError) as caught, guarded("own code", limit_s=0.05):
        stubborn()
    assert "own code: stopped after 0.05 seconds" in str(caught.value)
    assert len(caught_times) == 1


def test_each_item_has_its_own_time():
    with guarded("own code", limit_s=5) as renew:
        renew()


def test_a_timer_that_runs_around_it_goes_on():
    before = signal.getitimer(signal.ITIMER_REAL)[0]
    with guarded("own code"):
        pass
    after = signal.getitimer(signal.ITIMER_REAL)[0]
    assert (after == 0) == (before == 0)
    assert after <= before


def test_the_users_interrupt_stays_one_even_where_code_swallows_it():
    def swallow():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except BaseException:
            pass

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), guarded("own code"):
            swallow()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_folder_handlers_and_streams_are_put_back(tmp_path, capsys):
    before = os.getcwd(), signal.getsignal(signal.SIGTERM), sys.stdout
    with guarded("own code"):
        os.chdir(tmp_path)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("not among results")
        sys.stdout = sys.stderr = None
    assert (os.getcwd(), signal.getsignal(signal.SIGTERM), sys.stdout) == before
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "not among results\n")


def test_it_guards_in_other_threads_too():
    found = []

    def work():
        try:
            with guarded("own code"):
                sys.exit(0)
        except StrategyError as problem:
            found.append(str(problem))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "SystemExit(0)" in found[0]
