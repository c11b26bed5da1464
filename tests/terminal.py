"""A terminal that a test can resize and read: what a program has written to it, as a person sees it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from flowvae.text import width

PIECE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)", re.DOTALL)


class Screen:
    """Lines as a terminal shows them, by the few sequences that a live display needs; others are faults."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.y, self.x = [""], 0, 0

    def write(self, text):
        at = 0
        while at < len(text):
            piece = PIECE.match(text, at)
            assert piece, repr(text[at : at + 40])
            at = piece.end()
            numbers, letter, back, down, words = piece.groups()
            if back:
                self.x = 0
            elif down:
                self._down()
            elif words:
                for character in words:
                    self._put(character)
            else:
                self._steer(numbers, letter)

    def _down(self):
        self.y += 1
        if self.y == len(self.lines):
            self.lines.append("")

    def _put(self, character):
        if self.x + width(character) > self.columns:
            self._down()
            self.x = 0
        line = self.lines[self.y].ljust(self.x)
        self.lines[self.y] = line[: self.x] + character + line[self.x + 1 :]
        self.x += 1

    def _steer(self, numbers, letter):
        top = max(len(self.lines) - self.rows, 0)
        count = int(numbers or 1) if numbers.isdigit() or not numbers else 0
        if letter == "A":
            self.y = max(self.y - count, top)
        elif letter == "K":
            self.lines[self.y] = ""
        elif letter == "J":
            assert numbers == "2"
            self.lines[top:] = [""] * (len(self.lines) - top)
        elif letter == "H":
            self.y, self.x = top, 0
        else:
            assert letter in "hlm", (numbers, letter)


class Terminal:
    """Runs a command with its standard output on a terminal of a size."""

    def __init__(self, command, columns=80, rows=24, **environment):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        variables = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES", "NO_COLOR"}}
        variables |= {"TERM": "xterm-256color", **environment}
        self.process = subprocess.Popen(command, stdout=slave, stderr=slave, env=variables)
        os.close(slave)
        self.said = ""

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text, seconds=60):
        """Reads on until a text has come, or all where it is None; gives what has come since the last time."""
        before, deadline = len(self.said), time.monotonic() + seconds
        while time.monotonic() < deadline and (text is None or text not in self.said[before:]):
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:  # the last program that had it open has ended
                    piece = b""
                if not piece:
                    break
                self.said += piece.decode()
        assert text is None or text in self.said[before:], self.said[before:]
        return self.said[before:]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
