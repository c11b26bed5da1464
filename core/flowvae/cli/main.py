"""The commands: `flowvae-run RECIPE`, and `flowvae VERB`."""

import atexit
import gc
import os
import sys

from flowvae.cli.search_path import leave_out_this_folder


def main(arguments: list[str] | None = None) -> int:
    """`flowvae`: see what is on offer, check recipes, look at data, rebuild reports."""
    _prepare()
    from flowvae.cli.guarded import verb  # noqa: PLC0415 - not before the process is prepared for it

    return verb(sys.argv[1:] if arguments is None else arguments)


def run_main(arguments: list[str] | None = None) -> int:
    """`flowvae-run RECIPE`: the same as `flowvae run RECIPE`."""
    _prepare()
    from flowvae.cli.guarded import run  # noqa: PLC0415 - as above

    return run(sys.argv[1:] if arguments is None else arguments)


def _prepare() -> None:
    """What must be done before anything large, or of another distribution, is imported."""
    _fill_standard_files()
    # Modules and a catalogue are large and have next to no cycles: looking for them, most of all in a process that ends
    # anyway, was a third of the time of `list` with 1,000 plugins, and a tenth of a start without any.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    leave_out_this_folder(os.environ, sys.path)


def _fill_standard_files() -> None:
    """Where one of the three was closed, the next file that is opened would get its number, and what is printed."""
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # -m looks in the current folder first, and that may be one of sounds. Python had to look there for flowvae
        # itself; what is imported from here on is not taken from it.
        del sys.path[0]
    sys.exit(main())
