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
from types import FrameType
from typing import NoReturn

from flowvae import __version__
from flowvae.cli import (
    browse,
    check_plugin,
    completion,
    docs,
    inspect_recipe,
    new_plugin,
    schema,
    suggest,
    work,
)
from flowvae.cli.search_path import leave_out_this_folder
from flowvae.errors import FlowvaeError, MachineError, Stopped, UsageError
from flowvae.text import printable


def main(arguments: list[str] | None = None) -> int:
    """`flowvae`: see what is on offer, check recipes, look at data, rebuild reports."""
    parser = verbs_parser()
    return _guarded(parser, sys.argv[1:] if arguments is None else arguments)


def verbs_parser() -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae`."""
    parser = _Parser(prog="flowvae", description="True comparisons of neural-audio components.")
    parser.add_argument("--version", action="version", version=f"flowvae {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for module in (browse, inspect_recipe, suggest, work, docs, schema, completion, new_plugin, check_plugin):
        module.add_verbs(verbs)
    parser.set_defaults(parsers=(verbs_parser, run_parser))  # what completion completes
    return parser


def run_main(arguments: list[str] | None = None) -> int:
    """`flowvae-run RECIPE`: the same as `flowvae run RECIPE`."""
    parser = run_parser()
    return _guarded(parser, sys.argv[1:] if arguments is None else arguments)


def run_parser() -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae-run`."""
    parser = _Parser(prog="flowvae-run", description="Checks, plans, runs and reports; again: continues.")
    work.add_run_arguments(parser)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, do=f"{self.prog} --help")


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
        act: Callable[[argparse.Namespace], int] = options.act
        status = act(options)
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
