"""The commands: `flowvae-run RECIPE`, and `flowvae VERB`."""

import argparse
import atexit
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType

from flowvae.cli.arguments import run_parser, verbs_parser
from flowvae.cli.search_path import leave_out_this_folder
from flowvae.errors import FlowvaeError, MachineError, Stopped
from flowvae.text import printable


def main(arguments: list[str] | None = None) -> int:
    """`flowvae`: see what is on offer, check recipes, look at data, rebuild reports."""
    return _guarded(verbs_parser(), sys.argv[1:] if arguments is None else arguments)


def run_main(arguments: list[str] | None = None) -> int:
    """`flowvae-run RECIPE`: the same as `flowvae run RECIPE`."""
    return _guarded(run_parser(), sys.argv[1:] if arguments is None else arguments)


def _guarded(parser: argparse.ArgumentParser, arguments: list[str]) -> int:
    """Turns every expected fault into its message and exit status; only a fault of flowvae shows a traceback."""
    # A catalogue is large and has next to no cycles: looking for them, most of all in a process that ends anyway,
    # was a third of the time of `list` with 1,000 plugins.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    leave_out_this_folder(os.environ, sys.path)
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, _stop)
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


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # -m looks in the current folder first, and that may be one of sounds. Python had to look there for flowvae
        # itself; what is imported from here on is not taken from it.
        del sys.path[0]
    sys.exit(main())
