"""Our own modules as command lines."""

import sys


def _flags() -> tuple[str, ...]:
    """What makes another Python look for modules where this one does, and nowhere else."""
    if sys.flags.isolated:
        return ("-I", "-m")
    own = {"-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    # -P: a folder of sounds, where people stand, is not a place to import from.
    return ("-P", *(flag for flag, is_set in own.items() if is_set), "-m")


def program(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours with these arguments.

    >>> program("flowvae.worker", "runs/a")[1:]
    ('-P', '-m', 'flowvae.worker', 'runs/a')
    """
    return (sys.executable, *_flags(), module, *arguments)


def module_of(command: tuple[str, ...]) -> str | None:
    """The module of ours that a command runs; None where it is another command.

    >>> module_of(program("flowvae.worker", "runs/a"))
    'flowvae.worker'
    """
    front = (sys.executable, *_flags())
    return command[len(front)] if command[: len(front)] == front and len(command) > len(front) else None
