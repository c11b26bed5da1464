"""Which sounds are copies of one another, whatever their level, rate, format and name."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

N_FFT, HOP = 1024, 256
N_BANDS, LOWEST_HZ, HIGHEST_HZ = 24, 60.0, 9000.0
"""No higher: a copy at 22.05 kHz, or of a codec, has nothing there."""
N_TIMES = 32
FLOOR_DB = -40.0
"""Below lies what 8 bits and codecs add."""
COPY_DB = 1.0
"""Measured on 917 sounds of 14 drum kits of Debian and of Sonic Pi, of which 160 were copied in eight ways: quieter,
at 22 and at 48 kHz, MP3, Ogg, 8 bit, unlike channels, later and cut: 97 % of the copies lie below (of Ogg 90 %), and of
sounds of two kits one pair, a copy by its makers; the next are one take filtered (2.1 dB), then different sounds
(2.9 dB). Of the layers of one drum 98 pairs lie below, 90 of them below 0.5 dB: one take at several levels."""
CELLS = 1 << 22
"""Of the table of distances at a time: 16 MB."""
MOST_PAIRS = 100_000
"""That are listed whole; where thousands of sounds are alike their pairs are beyond counting, and no memory holds them."""

Pair = tuple[int, int]


def fingerprint(clip: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Where the energy of a clip lies, in time and frequency.

    Formula: 10 log10 of the energy in 24 bands from 60 Hz to 9 kHz, a third of an octave each, and 32 stretches of time
        that grow from the beginning on, relative to the largest, not below -40 dB.
    Shapes: (c, t) -> (bands * stretches,), the same for all clips of a length.
    Units: decibels.
    Source: own.
    """
    padded = np.pad(clip, ((0, 0), (N_FFT // 2, N_FFT // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::HOP]
    # The power and not the sound is added over the channels: they may cancel.
    power = (np.abs(np.fft.rfft(frames * np.hanning(N_FFT), axis=-1)) ** 2).sum(axis=0)
    energy = power @ _bands(sample_rate)
    ends = np.unique(np.round(np.geomspace(1, len(energy) + 1, N_TIMES + 1) - 1).astype(np.intp))
    energy = np.add.reduceat(energy, ends[:-1], axis=0) / np.diff(ends)[:, None]
    loudest = energy.max() or 1.0  # silence is like silence
    return np.asarray(10 * np.log10(np.maximum(energy / loudest, 10 ** (FLOOR_DB / 10))), np.float32).ravel()


def copies(prints: Sequence[NDArray[np.float32]], units: Sequence[str], names: Sequence[str]) -> list[Pair]:
    """The pairs, of two units each, whose fingerprints differ by less than COPY_DB (root of the mean square).

    By blocks of a matrix product: for 10 000 sounds seconds, and never the whole table. Of more than MOST_PAIRS only
    those that join units.
    """
    rows = np.stack(prints)
    # About one middle the differences are small beside what they are differences of.
    rows -= rows.mean(axis=0)
    squares = np.einsum("nd,nd->n", rows, rows)
    limit = COPY_DB**2 * rows.shape[1]
    unit_of, rank_of = (np.unique(words, return_inverse=True)[1] for words in (units, names))
    found = np.empty((0, 2), np.intp)
    n_rows = max(CELLS // len(rows), 1)
    for start in range(0, len(rows), n_rows):
        block = slice(start, start + n_rows)
        apart = rows[block] @ rows[start:].T
        apart *= -2
        apart += squares[block, None]
        apart += squares[None, start:]
        near = np.argwhere(apart < limit) + start
        one, other = near.T
        found = np.concatenate([found, near[(one < other) & (unit_of[one] != unit_of[other])]])
        if len(found) > MOST_PAIRS:
            found = _that_join(found, unit_of, rank_of)
    return [(int(i), int(j)) for i, j in found]


def _that_join(
    pairs: NDArray[np.intp], unit_of: NDArray[np.intp], rank_of: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Those of the pairs that join units which no pair before them joins, in the order of names: at most one for each unit.

    They are the shortest tree of the units where a pair's place in that order is its length, so that it makes no
    difference whether pairs are left out at once or as they come. Where `joined` refuses several joins for their
    size, a pair that is left out here might have made one more.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - a quarter of a second, for hardly any folder
    from scipy.sparse.csgraph import minimum_spanning_tree  # noqa: PLC0415 - the same

    ranks = np.sort(rank_of[pairs], axis=1)
    pairs = pairs[np.lexsort((ranks[:, 1], ranks[:, 0]))]
    of_units = np.sort(unit_of[pairs], axis=1)
    n_units = int(unit_of.max()) + 1
    _, first = np.unique(of_units[:, 0] * n_units + of_units[:, 1], return_index=True)
    lengths = coo_array((first + 1.0, of_units[first].T), shape=(n_units, n_units))
    kept = np.sort(minimum_spanning_tree(lengths.tocsr()).data) - 1
    return np.asarray(pairs[kept.astype(np.intp)])


def joined(units: Sequence[str], pairs: Sequence[Pair], names: Sequence[str], most: float) -> list[str]:
    """The units with those made one that hold copies, as long as none grows beyond `most` sounds.

    In the order of the names of the copies, so that the order of reading does not matter.

    >>> joined(["a", "b", "c"], [(0, 2)], ["a", "b", "c"], 2)
    ['a + c', 'b', 'a + c']
    """
    members = {unit: {unit} for unit in units}
    sizes = {unit: units.count(unit) for unit in members} if pairs else {}
    for i, j in sorted(pairs, key=lambda pair: sorted((names[pair[0]], names[pair[1]]))):
        one, other = members[units[i]], members[units[j]]
        if one is not other and sum(sizes[unit] for unit in one | other) <= most:
            both = one | other
            members |= dict.fromkeys(both, both)
    called = {id(own): _called(sorted(own)) for own in members.values()}
    return [called[id(members[unit])] for unit in units]


def _called(units: Sequence[str]) -> str:
    return " + ".join(units) if len(units) < 4 else f"{units[0]} + {len(units) - 1} more with copies"


@cache
def _bands(sample_rate: int) -> NDArray[np.float64]:
    """(bins, bands): 1 where a bin lies in a band; a band narrower than a bin has the nearest one."""
    hz = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, sample_rate / 2), N_BANDS + 1)
    inside = (hz[:, None] >= edges[:-1]) & (hz[:, None] < edges[1:])
    middle = np.sqrt(edges[:-1] * edges[1:])
    nearest = np.abs(hz[:, None] - middle).argmin(axis=0)
    narrow = ~inside.any(axis=0)
    inside[nearest[narrow], np.flatnonzero(narrow)] = True
    return inside.astype(np.float64)
