"""Lines that stay at the bottom of a terminal, drawn anew in their place."""

from collections.abc import Callable

from attrs import define, field
from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text


@define(eq=False)
class LiveText:
    """What other code prints meanwhile stands above it; nothing of it is left at the end."""

    console: Console
    _live: Live = field(init=False)
    _size: ConsoleDimensions = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._size = self.console.size
        self._live.start()

    def show(self, lines: Callable[[int, int], list[str]]) -> None:
        """Draws what `lines` gives for the columns and rows that the terminal has now."""
        size = self.console.size
        if size != self._size:
            # Nobody knows where a terminal of another width has put the lines: the screen is begun anew.
            self._size = size
            self.console.clear()
        # The last column and the last row stay free: in some terminals a full line begins another one.
        told = lines(max(size.width - 1, 1), max(size.height - 1, 2))
        self._live.update(Text("\n".join(told), no_wrap=True, overflow="ignore"), refresh=True)

    def close(self) -> None:
        """Takes it off the screen."""
        self._live.stop()


def live_text() -> LiveText | None:
    """What draws on this terminal; None where its standard output is none, or one that cannot move its cursor."""
    console = Console()
    return LiveText(console) if console.is_terminal and not console.is_dumb_terminal else None
