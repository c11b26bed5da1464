"""Every command ends here: with an exit status, and with a message for every fault that was to be expected."""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType

from flowvae.cli.arguments import run_parser, verbs_parser
from flowvae.errors import FlowvaeError, MachineError, Stopped
from flowvae.text import printable


def verb(words: list[str]) -> int:
    """`flowvae VERB`, with what stands behind it."""
    return _guarded(verbs_parser(words), words)


def run(words: list[str]) -> int:
    """`flowvae-run`, with what stands behind it."""
    return _guarded(run_parser(), words)


def _guarded(parser: argparse.ArgumentParser, arguments: list[str]) -> int:
    """Turns every expected fault into its message and exit status; only a fault of flowvae shows a traceback."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What it was told to ignore when it began, as nohup does, it ignores.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        options = parser.parse_args(arguments)
        status = _act(options.act)(options)
        if sys.stdout is not None:  # a daemon may have none
            sys.stdout.flush()
    except FlowvaeError as error:
        _tell("\n".join(error.lines()))
        if "--json" in arguments:
            with contextlib.suppress(OSError, ValueError):
                print(json.dumps(error.fields(), indent=1), flush=True)
        return error.exit_status
    except KeyboardInterrupt:
        _tell("flowvae: stopped; the same command continues")
        return 128 + signal.SIGINT
    except Stopped as stopped:
        _tell("flowvae: stopped; the same command continues")
        return 128 + stopped.signal
    except BrokenPipeError:
        # The reader has left: nothing is wrong with what was done. Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f": {printable(str(error.filename))}" if error.filename else ""
        _tell(f"flowvae: error[MACHINE]: {error.strerror or error}{where}")
        return MachineError.exit_status
    return status


def _act(name: str) -> Callable[[argparse.Namespace], int]:
    """What a verb does: "module:function" of this package."""
    module, _, function = name.partition(":")
    act: Callable[[argparse.Namespace], int] = getattr(import_module(f"flowvae.cli.{module}"), function)
    return act


def _tell(message: str) -> None:
    # Where nobody listens, the exit status still tells.
    with contextlib.suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)
