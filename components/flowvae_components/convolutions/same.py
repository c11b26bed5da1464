"""Convolutions that look as far back as ahead."""


def same(missing: int) -> tuple[int, int]:
    """Shares the silence out evenly: the middle of the kernel lies on the sample that comes out.

    Formula: before = ceil(missing / 2), after = floor(missing / 2).
    Shapes: a whole number -> two.
    Units: samples at the rate of the layer's input.
    Source: "same" padding, as of every codec that need not run in real time; an odd number as in MelGAN, Kumar et al. 2019,
        arxiv.org/abs/1910.06711.

    >>> same(6), same(5)
    ((3, 3), (3, 2))
    """
    return missing - missing // 2, missing // 2
