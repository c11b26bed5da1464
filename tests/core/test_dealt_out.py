"""Tasks dealt out to copies of a process: nothing is heard of it but that it is quicker."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere tasks are done in turn")
BEGINNING = """
import os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background has interrupts ignored
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from flowvae.processes import dealt_out as dealing
from flowvae.processes.dealt_out import dealt_out
dealing.n_cores = lambda: 3
"""


def in_a_process_of_its_own(code):
    """A test's own process has the threads of the runner."""
    whole = BEGINNING + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)


def test_results_come_back_in_the_order_of_the_tasks_from_as_many_copies_as_there_are_cores():
    got = in_a_process_of_its_own("""
        found = dealt_out([lambda n=n: (n, os.getpid()) for n in range(7)])
        print([n for n, _ in found], len({pid for _, pid in found} - {os.getpid()}))
    """)
    assert got.stdout == "[0, 1, 2, 3, 4, 5, 6] 3\n"


def test_a_pile_of_nothings_is_not_done_twice():
    got = in_a_process_of_its_own("""
        print(dealt_out([lambda: os.write(1, b"done ") and None, lambda: None]))
    """)
    assert got.stdout == "done [None, None]\n"


def test_a_task_that_fails_in_a_copy_is_done_again_where_its_exception_is_heard():
    got = in_a_process_of_its_own("""
        try:
            dealt_out([lambda: 1, lambda: 1 / 0])
        except ZeroDivisionError as error:
            print("heard:", error)
    """)
    assert (got.stdout, got.stderr) == ("heard: division by zero\n", "")


def test_a_copy_that_is_killed_costs_nothing_but_time():
    got = in_a_process_of_its_own("""
        own = os.getpid()
        print(dealt_out([lambda: 1, lambda: os.getpid() == own or os.kill(os.getpid(), 9)]))
    """)
    assert got.stdout == "[1, True]\n"


def test_an_interrupt_is_no_exception_in_a_copy_which_would_show_its_trace():
    got = in_a_process_of_its_own("""
        handlers = dealt_out([lambda: signal.getsignal(signal.SIGINT), lambda: signal.getsignal(signal.SIGHUP)])
        print(handlers == [signal.SIG_DFL, signal.SIG_DFL])
    """)
    assert got.stdout == "True\n"


def test_what_was_ignored_stays_ignored_in_a_copy():
    got = in_a_process_of_its_own("""
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        handlers = dealt_out([lambda: signal.getsignal(signal.SIGINT), lambda: signal.getsignal(signal.SIGHUP)])
        print(handlers == [signal.SIG_IGN, signal.SIG_IGN])
    """)
    assert got.stdout == "True\n"


def test_an_interrupt_ends_the_copies_and_is_heard_once():
    code = BEGINNING + textwrap.dedent("""
        import time
        def wait():
            os.write(1, b"at work\\n")
            time.sleep(60)
        try:
            dealt_out([wait, wait])
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert [process.stdout.readline(), process.stdout.readline()] == ["at work\n"] * 2
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=30) == ("interrupted\n", "")


def test_a_process_with_threads_is_never_copied():
    got = in_a_process_of_its_own("""
        end = threading.Event()
        threading.Thread(target=end.wait).start()
        print({*dealt_out([os.getpid, os.getpid])} == {os.getpid()})
        end.set()
    """)
    assert got.stdout == "True\n"
