"""Asks plugins in a process of their own, so that none of their code runs where the work is done.

The child is a copy of this process, which costs a millisecond or two; it sends one line for each plugin. Where it
dies or falls silent, the plugin whose turn it was is to blame, and another child asks the rest.
"""

import faulthandler
import json
import os
import select
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from flowvae.catalogue.entry_points import EntryPoint
from flowvae.catalogue.guard import Guard, guarded
from flowvae.catalogue.loading import ask, load, new_manager
from flowvae.catalogue.plugin import ComponentOffer, KindOffer, Plugin
from flowvae.errors import MachineError
from flowvae.text import shortened

PATIENCE_S = 60.0
"""The longest that one plugin may take."""
ANSWERED = ("state", "problem", "trace", "seconds", "notes")


def ask_isolated(waiting: list[tuple[Plugin, EntryPoint]]) -> None:
    """Fills in what each plugin offers, or why it is broken."""
    if waiting and not hasattr(os, "fork"):
        owners = ", ".join(plugin.owner for plugin, _ in waiting)
        raise MachineError(
            f"this system has no fork, so these cannot be asked in a process of their own: {shortened(owners)}",
            do="use Linux, macOS or WSL, or leave plugins out with --no-plugins",
        )
    while waiting:
        answers, end = _ask_in_child(waiting)
        for (plugin, entry), answer in zip(waiting, answers, strict=False):
            _take(plugin, entry, answer)
        waiting = waiting[len(answers) :]
        if waiting:
            (deadly, _), *waiting = waiting
            deadly.fail(end)


def _ask_in_child(waiting: list[tuple[Plugin, EntryPoint]]) -> tuple[list[dict[str, Any]], str]:
    """The answers that came, and what ended the child before it was through."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of threads that may hold a lock which the child then waits for: PATIENCE_S ends that.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            while writer <= 2:  # where standard output was closed, the pipe may have its number
                writer = os.dup(writer)
            _answer(writer, waiting)
        finally:
            os._exit(1)  # the parent ends a child that has answered
    os.close(writer)
    answers: list[dict[str, Any]] = []
    late = ""
    try:
        for line in _lines(reader):
            answers.append(json.loads(line))
            if len(answers) == len(waiting):
                break
    except TimeoutError:
        late = f"its import took more than {PATIENCE_S:g} s"
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # what has ended already keeps its status
        _, status = os.waitpid(child, 0)
    return answers, late or f"the process that imported it was ended by {_end(status)}"


def _lines(pipe: int) -> Iterator[bytes]:
    """What comes out of a pipe, line by line, to its end; TimeoutError where nothing comes for too long."""
    poll, text = select.poll(), b""
    poll.register(pipe, select.POLLIN)
    while True:
        if not poll.poll(PATIENCE_S * 1000):
            raise TimeoutError
        more = os.read(pipe, 1 << 16)
        if not more:
            return  # a line that its writer did not end is no answer
        *lines, text = (text + more).split(b"\n")
        yield from lines


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


def _answer(pipe: int, waiting: list[tuple[Plugin, EntryPoint]]) -> None:
    """What the child does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a real Ctrl-C is for the parent, which ends the child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.disable()  # the parent tells of a crash, and its own standard error is where a dump would go
    printed = _catch_prints()
    manager, guard, answers = new_manager(), Guard(), os.fdopen(pipe, "wb")
    for plugin, entry in waiting:
        try:
            load(plugin, entry)
            ask(plugin, manager)
        except KeyboardInterrupt:
            plugin.fail("it raises KeyboardInterrupt")
        guard.put_back(plugin.notes.append)
        _note_prints(plugin, printed)
        answers.write(json.dumps(_told(plugin), default=repr).encode() + b"\n")
        answers.flush()


def _told(plugin: Plugin) -> dict[str, Any]:
    components = [(o.kind, o.name, _name_of(o.target), o.given) for o in plugin.components]
    return {
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
    sys.stdout.flush()
    length = os.lseek(printed, 0, os.SEEK_END)
    if length:
        first = os.pread(printed, 80, 0).decode("utf-8", "replace").strip().partition("\n")[0]
        plugin.notes.append(f'its import prints {length} bytes ("{first}")')
        os.ftruncate(printed, 0)
        os.lseek(printed, 0, os.SEEK_SET)
