"""Asks plugins in a process of their own, so that none of their code runs where the work is done.

The child is a copy of this process, which costs a millisecond or two. It answers in memory that both share, plugin by plugin
and under the plugin's name: there is no descriptor that a plugin could write to or close, and a copy that a plugin makes of the
child is ended where it comes back. Where the child dies or falls silent, the plugin whose turn it was is to blame, and another
child asks the rest.
"""

import faulthandler
import json
import os
import select
import signal
import sys
import time
import warnings
from contextlib import suppress
from typing import Any

from flowvae.catalogue.entry_points import EntryPoint
from flowvae.catalogue.guard import Guard, guarded
from flowvae.catalogue.loading import ask, load, new_manager
from flowvae.catalogue.plugin import ComponentOffer, KindOffer, Plugin
from flowvae.catalogue.silent import SilentPlugins
from flowvae.errors import MachineError
from flowvae.processes.shared_sheet import SharedSheet
from flowvae.text import shortened

PATIENCE_S = 5.0
"""The longest that one plugin may take."""
LOOK_S = 0.05
"""How often it is looked whose turn it is, and where the system cannot tell of it, whether the child has ended."""
ROOM = 1 << 26
"""Bytes that the answers of one child may take; what is not written on costs nothing."""
LARGEST = 1 << 22
"""Bytes of one answer: ten thousand components take one million."""
ANSWERED = ("state", "problem", "trace", "seconds", "notes")

Waiting = list[tuple[Plugin, EntryPoint]]


def ask_isolated(waiting: Waiting, silent: SilentPlugins) -> None:
    """Fills in what each plugin offers, or why it is broken; who was silent before is not asked while its files are the same."""
    if waiting and not hasattr(os, "fork"):
        owners = ", ".join(plugin.owner for plugin, _ in waiting)
        raise MachineError(
            f"this system has no fork, so these cannot be asked in a process of their own: {shortened(owners)}",
            do="use Linux, macOS or WSL, or leave plugins out with --no-plugins",
        )
    for plugin, entry in waiting:
        if silent.knows(plugin, entry):
            plugin.fail(
                f"its import took more than {PATIENCE_S:g} s when it was last asked, and its files are the same since; "
                "flowvae doctor asks it again"
            )
    waiting = [(plugin, entry) for plugin, entry in waiting if plugin.state == "ready"]
    while waiting:
        answers, end = _ask_in_child(waiting)
        for (plugin, entry), answer in zip(waiting, answers, strict=False):
            _take(plugin, entry, answer)
            silent.forget(plugin, entry)
        waiting = waiting[len(answers) :]
        if waiting and end:
            (deadly, entry), *waiting = waiting
            deadly.fail(end)
            if end.startswith(_LATE):
                silent.remember(deadly, entry)


_LATE = "its import took more than"


def _ask_in_child(waiting: Waiting) -> tuple[list[dict[str, Any]], str]:
    """The answers that came, and what ended the child before it was through; nothing where only the room was at its end."""
    answers, turns = SharedSheet(ROOM), SharedSheet(1 << 12)
    with warnings.catch_warnings():
        # Python warns of threads that may hold a lock which the child then waits for: PATIENCE_S ends that.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        leave = os._exit  # as it is before a plugin's code has run
        try:
            os.setsid()
            _answer(answers, turns, waiting)
        finally:
            leave(1)
    status, late = None, False
    try:
        status, late = _wait(child, turns)
    finally:
        if status is None:
            status = _kill(child)
    said = [json.loads(text) for text in answers.read()]
    for (plugin, entry), answer in zip(waiting, said, strict=False):
        assert answer["who"] == _who(plugin, entry), "an answer of another plugin"
    if late:
        return said, f"{_LATE} {PATIENCE_S:g} s"
    return said, "" if status == _FULL << 8 else f"the process that imported it was ended by {_end(status)}"


_FULL = 75
"""The exit status of a child whose room is at its end."""


def _wait(child: int, turns: SharedSheet) -> tuple[int | None, bool]:
    """The status of a child that has ended, unless this system can say so without forgetting it; whether one is late."""
    poll = select.poll()
    watch = os.pidfd_open(child) if hasattr(os, "pidfd_open") else -1
    if watch >= 0:
        poll.register(watch, select.POLLIN)
    turn, since = b"", time.monotonic()
    try:
        while True:
            if watch >= 0 and poll.poll(1000 * LOOK_S):
                return None, False
            if watch < 0:
                time.sleep(LOOK_S / 10)
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    return status, False
            if (now := b"".join(turns.read())) != turn:
                turn, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE_S:
                return None, True
    finally:
        if watch >= 0:
            os.close(watch)


def _kill(child: int) -> int:
    """Ends a child with whatever it has started; the status of what had ended already is its own."""
    with suppress(
        ProcessLookupError, PermissionError
    ):  # it may not have come to its group, or be dead (macOS)
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _end(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit status {code}"


def _take(plugin: Plugin, entry: EntryPoint, answer: dict[str, Any]) -> None:
    for name in ANSWERED:
        setattr(plugin, name, answer[name])
    if answer["here"]:
        # It offers objects that have no name to import them by, so it has to be in this process.
        with guarded(lambda _: None):
            load(plugin, entry)
            ask(plugin, new_manager())
        return
    plugin.kinds = tuple(KindOffer(*row) for row in answer["kinds"])
    plugin.components = tuple(
        ComponentOffer(kind, name, target, tuple(given)) for kind, name, target, given in answer["components"]
    )


def _answer(answers: SharedSheet, turns: SharedSheet, waiting: Waiting) -> None:
    """What the child does. What it answers with is taken before a plugin can have changed it."""
    this, number, leave, encode = os.getpid(), os.getpid, os._exit, json.JSONEncoder(default=repr).encode
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a real Ctrl-C is for the parent, which ends the child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.disable()  # the parent tells of a crash, and its own standard error is where a dump would go
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # what this process has open is not for plugins to write to
    printed = _catch_prints()
    manager, guard = new_manager(), Guard()
    for index, (plugin, entry) in enumerate(waiting):
        turns.erase()
        turns.add(str(index).encode())
        load(plugin, entry)
        if number() != this:
            leave(0)  # a copy that the plugin has made of this process: nobody has asked it
        ask(plugin, manager)
        if number() != this:
            leave(0)
        guard.put_back(plugin.notes.append)
        _note_prints(plugin, printed)
        text = encode(_told(plugin, entry)).encode()
        if len(text) > LARGEST:
            plugin.fail(f"what it offers takes {len(text)} bytes to tell, more than {LARGEST}")
            text = encode(_told(plugin, entry)).encode()
        if not answers.add(text):
            leave(_FULL)
    leave(0)


def _who(plugin: Plugin, entry: EntryPoint) -> list[str]:
    return [plugin.distribution, plugin.name, entry.value]


def _told(plugin: Plugin, entry: EntryPoint) -> dict[str, Any]:
    components = [(o.kind, o.name, _name_of(o.target), o.given) for o in plugin.components]
    return {
        "who": _who(plugin, entry),
        **{name: getattr(plugin, name) for name in ANSWERED},
        "here": not all(target for _, _, target, _ in components),
        "kinds": plugin.kinds,
        "components": components,
    }


def _name_of(target: Any) -> str:
    """The import string of a target, or nothing where it has none."""
    if isinstance(target, str):
        return target
    module, name = getattr(target, "__module__", ""), getattr(target, "__qualname__", "")
    return f"{module}:{name}" if name and getattr(sys.modules.get(module), name, None) is target else ""


def _catch_prints() -> int:
    """Turns this process's output into a file without a name, and its input into nothing."""
    if hasattr(os, "memfd_create"):
        caught = os.memfd_create("printed")
    else:
        import tempfile  # noqa: PLC0415 - a start with plugins is faster without it

        with tempfile.TemporaryFile() as file:
            caught = os.dup(file.fileno())
    for number in (1, 2):
        os.dup2(caught, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    return os.dup(1)


def _note_prints(plugin: Plugin, printed: int) -> None:
    with suppress(OSError, ValueError):  # it may have closed its output, and this one with it
        sys.stdout.flush()
        length = os.lseek(printed, 0, os.SEEK_END)
        if not length:
            return
        first = os.pread(printed, 80, 0).decode("utf-8", "replace").strip().partition("\n")[0]
        plugin.notes.append(f'its import prints {length} bytes ("{first}")')
        os.ftruncate(printed, 0)
        os.lseek(printed, 0, os.SEEK_SET)
