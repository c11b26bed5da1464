"""Which instrument a sound is, as far as its name says."""

import re
from collections.abc import Iterator
from itertools import pairwise

# Whole words, in the singular and without spaces, under the class that they stand for. The order decides where a name
# has words of several classes: "snare rim" is a rim, "bell of the ride" a cymbal, "perc tom" a tom.
_WORDS = {
    "clap": "clap handclap snap fingersnap",
    "rim": "rim rimshot rimclick stick sidestick crossstick crosstick xstick",
    "shaker": "shaker shake maraca cabasa tambourine tamb tambo sleighbell",
    "percussion": "conga bongo cowbell agogo woodblock templeblock clave timbale djembe tabla triangle guiro cajon "
    "darbuka udu vibraslap castanet tumba quinto surdo cuica",
    "kick": "kick kik kck kickdrum bassdrum",
    "snare": "snare snr snaredrum",
    "hat": "hat hihat hhat highhat hithat openhat closedhat hhopen hhclosed hhpedal",
    "tom": "tom tomtom floortom racktom",
    "cymbal": "cymbal cymb cym crash ride splash china gong",
    "percussion, in general": "perc percussion bell block",
}
# What is no part of another word, so that it also counts inside one: "vinylkick", "snaredrum".
_GLUED = {
    "clap": "clap",
    "rim": "rimshot sidestick crossstick",
    "shaker": "shaker maraca tambourine",
    "percussion": "conga bongo cowbell woodblock djembe",
    "kick": "kick bassdrum",
    "snare": "snare",
    "hat": "hihat openhat closedhat",
    "tom": "tomtom floortom",
    "cymbal": "cymbal crash splash",
    "percussion, in general": "percussion",
}
# As drum machines label their keys and packs their files. Too short to count anywhere but first or last in a name.
_ABBREVIATIONS = {
    "kick": "bd kd",
    "snare": "sd sn",
    "hat": "hh ch oh hho hhc chh ohh ho",
    "tom": "tm lt mt ht ft",
    "clap": "cp clp",
    "rim": "rs",
    "cymbal": "cy cr rd",
    "shaker": "ma",
    "percussion": "cb cl lc mc hc",
}
_KIT = frozenset({"kit", "drumkit"})
_PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_RUN = re.compile(r"[A-Za-z]+")
_ENDING = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,4}$")


def instrument(name: str) -> str | None:
    """The class of a sound: clap, rim, shaker, percussion, kick, snare, hat, tom or cymbal; None where nothing says it.

    Read from the file's name, and where that is silent from its folders, the innermost first. A folder that calls
    itself a kit says nothing of what is in it.

    >>> instrument("kits/909/Closed Hat 03.wav"), instrument("808/BD/0010.wav"), instrument("bottom_12.wav")
    ('hat', 'kick', None)
    """
    *folders, file = name.split("/")
    stem = _ENDING.sub("", file)
    found = _word_class(stem) or _abbreviated(stem)
    return found or next(filter(None, map(folder_instrument, reversed(folders))), None)


def class_of(name: str, label: str = "") -> str:
    """The class of a sound: its label, else what its name says, else "".

    >>> class_of("kick.wav"), class_of("kick.wav", "808"), class_of("bottom_12.wav")
    ('kick', '808', '')
    """
    return label or instrument(name) or ""


def folder_instrument(folder: str) -> str | None:
    """The class that all sounds of a folder have, by its name alone: an abbreviation has to be its only word.

    >>> folder_instrument("Kick Drums"), folder_instrument("Kick Ass Kit"), folder_instrument("TR-808")
    ('kick', None, None)
    """
    if _KIT & set(_words(folder)):
        return None
    return _word_class(folder) or (_abbreviated(folder) if len(_RUN.findall(folder)) == 1 else None)


def _word_class(text: str) -> str | None:
    words, runs = set(_words(text)), [run.lower() for run in _RUN.findall(text)]
    for kind, known in _WORDS.items():
        if words & set(known.split()) or any(part in run for part in _GLUED[kind].split() for run in runs):
            return kind.partition(",")[0]
    return None


def _abbreviated(text: str) -> str | None:
    runs = _RUN.findall(text)
    ends = {_singular(run.lower()) for run in (*runs[:1], *runs[-1:])}
    return next((kind for kind, known in _ABBREVIATIONS.items() if ends & set(known.split())), None)


def _words(text: str) -> Iterator[str]:
    """Runs of letters, the pieces of each that capitals mark, and each two neighbours in one: hi hat, HiHat, hihat."""
    pieces = [piece.lower() for piece in _PIECE.findall(text)]
    yield from (_singular(piece) for piece in pieces)
    yield from (_singular(run.lower()) for run in _RUN.findall(text))
    yield from (_singular(first + second) for first, second in pairwise(pieces))


def _singular(word: str) -> str:
    if word.endswith(("shes", "ches")):  # crashes, splashes
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word
