"""`python -P -m flowvae.processes.warm_parent DESCRIPTOR` imports what runs need, once, and becomes a copy of itself for each.

It is told over a socket what to import and what to start, and ends with whoever holds the other end. It runs no operator,
starts no thread and touches no device, so that a copy is in the state of a new process that has imported the same.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flowvae.processes.plain import exit_status

LARGEST = 1 << 20
"""Bytes of a message."""
LOOK_S = 1.0
"""How often it looks whether the process that started it is there: a copy of that may keep the socket open."""


def main(descriptor: int) -> None:
    """Returns in a copy that has done its work, and where nobody is left to serve."""
    control = socket.socket(fileno=descriptor)
    wanted = json.loads(control.recv(LARGEST))
    for program in wanted["programs"]:
        runpy.run_module(program, run_name="warm")  # its imports and definitions; it works as "__main__" only
    for module in wanted["modules"]:
        importlib.import_module(module)
    gc.freeze()  # a copy need not look through, and so copy, what is never freed
    control.send(b"{}")
    command = serve(control)
    if command:
        become(command)


def serve(control: socket.socket) -> list[str] | None:
    """Answers until nobody asks any more; in a copy it returns with the command that this is to run."""
    children: set[int] = set()
    while request := _next(control):
        message, files = request
        if "command" in message:
            try:
                child = fork()
            except OSError as fault:
                answer: dict[str, Any] = {"fault": str(fault)}
            else:
                if child == 0:
                    control.close()
                    take_places(files)
                    return list(message["command"])
                children.add(child)
                answer = {"child": child}
            for file in files:
                os.close(file)
        else:
            look = os.WEXITED if message["reap"] else os.WEXITED | os.WNOWAIT
            answer = {"status": exit_status(os.waitid(os.P_PID, message["child"], look))}
            if message["reap"]:
                children.discard(message["child"])
        control.send(json.dumps(answer).encode())
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)  # a run saves; a hang-up would be ignored under nohup
    return None


def _next(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next request with the files that came along; None when there will be none."""
    caller, poll = os.getppid(), select.poll()
    poll.register(control, select.POLLIN)
    while not poll.poll(1000 * LOOK_S):
        if os.getppid() != caller:
            return None
    try:
        text, files, _, _ = socket.recv_fds(control, LARGEST, 2)
    except ConnectionError:
        return None
    return (json.loads(text), files) if text else None


def fork() -> int:
    """os.fork, without Python's warning of threads: those that a library has at its import, it ends before a fork."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def take_places(files: Sequence[int]) -> None:
    """Makes a copy the leader of a session, with no input and these files for its output."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, *files)):
        os.dup2(file, number)
    for file in (nothing, *files):
        os.close(file)


def become(command: Sequence[str]) -> None:
    """Runs `python -P -m MODULE ARGUMENTS` here."""
    if random := sys.modules.get("numpy.random"):
        random.seed()  # Python's own module does so in every copy, numpy's does not
    named = command.index("-m") + 1
    module = command[named]
    sys.orig_argv, sys.argv = list(command), [module, *command[named + 1 :]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
