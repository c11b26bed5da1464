"""Our own modules as command lines."""

import sys

FLAGS = ("-P", "-m")
"""-P: a folder of sounds, where people stand, is not a place to import from."""


def program(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours with these arguments.

    >>> program("flowvae.worker", "runs/a")[1:]
    ('-P', '-m', 'flowvae.worker', 'runs/a')
    """
    return (sys.executable, *FLAGS, module, *arguments)


def module_of(command: tuple[str, ...]) -> str | None:
    """The module of ours that a command runs; None where it is another command.

    >>> module_of(program("flowvae.worker", "runs/a"))
    'flowvae.worker'
    """
    front = (sys.executable, *FLAGS)
    return command[len(front)] if command[: len(front)] == front and len(command) > len(front) else None
