"""A map of the latents of each run: the two directions in which its held-out sounds differ most, with samples of the prior."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.folder.latents import Latents
from flowvae.report.arm_styles import COLOURS
from flowvae.report.number_format import count, percentage
from flowvae.report.reading import Folder, Run
from flowvae.report.written_sounds import targets

WIDTH, HEIGHT = 720, 440
MARGIN = 14
MOST_MARKS = 200
"""Sounds on the map, and as many samples of the prior: more of them hide each other."""
MOST_PLACES = 15_000
"""Marks of all runs together: about eight bytes each are on the page."""
OTHER = "#8b8d93"
SHAPES = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "M-4.5-4.5h9v9h-9z",
    "M0-6L5.6 4H-5.6z",
    "M0-6L6 0L0 6L-6 0z",
    "M0 6L5.6-4H-5.6z",
    "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
)
"""A disc, a square, a triangle, a diamond, a triangle upside down and a cross, about as large as each other."""
PRIOR_SHAPE = "M-4-4L4 4M-4 4L4-4"


@frozen
class ClassLook:
    """How the sounds of a class are drawn, or what is drawn of the prior."""

    name: str
    colour: str
    shape: str


@frozen
class Mark:
    """A sound of the map, or a sample of the prior; `clip` is how the listening section calls it, nothing where it has none."""

    name: str
    kind: str
    """Its class, also where that has no look of its own; nothing where nobody says it."""
    look: ClassLook
    clip: str

    @property
    def words(self) -> str:
        """What a screen reader says."""
        return ", ".join(filter(None, (self.name, self.kind)))


@frozen
class Place:
    """Where the marks are in one run: x and y of each in turn, and what the map leaves out."""

    arm: str
    seed: int
    points: tuple[int, ...]
    said: str


@frozen
class LatentMap:
    """The map of a folder; without places there is none."""

    marks: tuple[Mark, ...] = ()
    looks: tuple[ClassLook, ...] = ()
    places: tuple[Place, ...] = ()
    n_left_out: int = 0
    """Runs with codes that are not on it."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms with a place, in the order of the plan."""
        return tuple(dict.fromkeys(place.arm for place in self.places))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds with a place."""
        return tuple(sorted({place.seed for place in self.places}))

    @property
    def data(self) -> list[dict[str, object]]:
        """What the script reads."""
        return [{"arm": p.arm, "seed": p.seed, "points": p.points, "said": p.said} for p in self.places]


def latent_map(folder: Folder) -> LatentMap:
    """Every run that has the same held-out sounds as the first one with codes."""
    having = [(run, run.latents) for run in folder.runs if run.latents and len(run.latents.codes) > 1]
    if not having:
        return LatentMap()
    first = having[0][0]
    same = [(run, latents) for run, latents in having if _sounds(run) == _sounds(first)]
    n = min(len(_sounds(first)), MOST_MARKS)
    n_prior = min(MOST_MARKS, *(len(latents.prior) for _, latents in same))
    shown = same[: max(1, MOST_PLACES // (n + n_prior))]
    looks = _looks(first, n)
    other = ClassLook("any other sound" if looks else "a sound", OTHER, SHAPES[0])
    prior = ClassLook("new, from the prior", "none", PRIOR_SHAPE)
    marks = [
        *_sound_marks(first, n, looks, other),
        *(Mark(f"sample {i}", prior.name, prior, f"sample {i}") for i in range(n_prior)),
    ]
    drawn = {mark.look for mark in marks}
    return LatentMap(
        marks=tuple(marks),
        looks=tuple(look for look in (*looks.values(), other, prior) if look in drawn),
        places=tuple(_place(run, latents, n, n_prior) for run, latents in shown),
        n_left_out=len(having) - len(shown),
    )


def _sounds(run: Run) -> tuple[str, ...]:
    return run.result.sounds if run.result else ()


def _looks(run: Run, n: int) -> dict[str, ClassLook]:
    """The classes with most sounds have a look of their own; an old result names none."""
    told = Counter(word for word in _classes(run)[:n] if word)
    most = sorted(told, key=lambda word: (-told[word], word))
    names = most if len(most) <= len(SHAPES) else most[: len(SHAPES) - 1]
    return {name: ClassLook(name, COLOURS[i], SHAPES[i]) for i, name in enumerate(names)}


def _classes(run: Run) -> Sequence[str]:
    classes = run.result.classes if run.result else ()
    return classes or [""] * len(_sounds(run))


def _sound_marks(run: Run, n: int, looks: dict[str, ClassLook], other: ClassLook) -> list[Mark]:
    titles = _titles(run)
    numbers = run.latents.clips[:n].tolist() if run.latents else []
    return [
        Mark(name, word, looks.get(word, other), titles.get(number, ""))
        for name, word, number in zip(_sounds(run)[:n], _classes(run)[:n], numbers, strict=True)
    ]


def _titles(run: Run) -> dict[int, str]:
    """The names of the audio examples by their numbers, as the listening section has them."""
    return {number: path.stem.partition("-")[2] for number, path in targets(run).items()}


def _place(run: Run, latents: Latents, n: int, n_prior: int) -> Place:
    codes = latents.codes.astype(np.float64)
    middle = codes.mean(axis=0)
    _, sizes, directions = np.linalg.svd(codes - middle, full_matrices=False)
    axes = _two(directions)
    points = (np.concatenate([codes[:n], latents.prior[:n_prior]]) - middle) @ axes.T
    total = float(np.square(sizes).sum())
    shares = [float(size) ** 2 / total if total else 0.0 for size in (*sizes, 0.0)[:2]]
    said = (
        f"{percentage(shares[0])} of the variance of these sounds lies from left to right, {percentage(shares[1])} from bottom to top; "
        f"the other {count(max(codes.shape[1] - 2, 0), 'direction')} are left out."
        if total
        else "All sounds have one and the same code."
    )
    return Place(run.arm, run.seed, tuple(_on_paper(points).ravel().tolist()), said)


def _two(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first two directions, each turned so that its largest part points up: a sign is chance."""
    axes = np.zeros((2, directions.shape[1]))
    axes[: min(2, len(directions))] = directions[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1)
    return axes * np.where(largest < 0, -1.0, 1.0)


def _on_paper(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """One scale for both directions, as large as the paper lets it be; up is up."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    extent = high - low
    known = extent > 0
    scale = float((room[known] / extent[known]).min()) if known.any() else 0.0
    centred = (points - (low + high) / 2) * scale * np.array([1.0, -1.0])
    places: NDArray[np.int64] = np.rint(centred + np.array([WIDTH, HEIGHT]) / 2).astype(np.int64)
    return places
