"""Which sounds belong together, told by where they lie."""

import itertools


def n_shared_folders(names: list[str]) -> int:
    """How many folders, from the top, hold all files: they tell nothing apart.

    Formula: the length of the longest common beginning, in folders.
    Shapes: names -> a count.
    Units: none.
    Source: own.

    >>> n_shared_folders(["drums/old/kick.wav", "drums/new/kick.wav"])
    1
    """
    paths = [name.split("/")[:-1] for name in names]
    levels = zip(*paths, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda level: len(set(level)) == 1, levels))


def kit_of(name: str, n_shared: int) -> str:
    """The folder below the shared ones; a file that has no such folder stands for itself.

    Formula: not by the words of a name: kick_01 and kick_02 would then be held out together, and no kick learnt.
    Shapes: none.
    Units: none.
    Source: own.

    >>> kit_of("drums/old/kick.wav", 1), kit_of("drums/kick.wav", 1)
    ('old', 'drums/kick.wav')
    """
    folders = name.split("/")[n_shared:-1]
    return folders[0] if folders else name
