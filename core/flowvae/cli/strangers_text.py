"""Text of plugins on a terminal: no character of it steers the terminal, and none of it floods it."""

from flowvae.text import printable, shortened

LONGEST_LINE = 300
LONGEST_PAGE = 20_000


def in_a_line(text: str) -> str:
    r"""What fits into a line.

    >>> in_a_line("Clears\x1b[2J the screen.")
    'Clears\\x1b[2J the screen.'
    """
    return shortened(printable(shortened(text, LONGEST_LINE)), LONGEST_LINE + 4)


def cut(text: str) -> str:
    """A docstring, so that what comes behind it is still seen."""
    return shortened(text, LONGEST_PAGE)


def on_a_page(text: str) -> str:
    """What has lines of its own."""
    return "\n".join(printable(line) for line in shortened(text, 2 * LONGEST_PAGE).split("\n"))
