"""Convolutions that see nothing of what is to come."""


def causal(missing: int) -> tuple[int, int]:
    """Puts all silence before the signal: a sample that comes out depends on that moment and on what came before it.

    Formula: before = missing, after = 0.
        With it everywhere, a network can run on a stream; on sounds that lie there as a whole it can only lose, as it cannot
        fall silent before a hit that it has not heard yet.
    Shapes: a whole number -> two.
    Units: samples at the rate of the layer's input.
    Source: van den Oord et al. 2016 (WaveNet), arxiv.org/abs/1609.03499; of codecs, Zeghidour et al. 2021,
        arxiv.org/abs/2107.03312.

    >>> causal(6)
    (6, 0)
    """
    return missing, 0
