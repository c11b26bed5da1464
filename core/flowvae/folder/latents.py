"""The codes that a finished run leaves, as numbers: for a map of its latent space, and for whoever looks further."""

import io
import zipfile
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from attrs import fields, frozen
from numpy.typing import NDArray

from flowvae.errors import CheckpointError, shown
from flowvae.folder.files import write_bytes

Numbers = NDArray[np.float32]


@frozen(eq=False)
class Latents:
    """What the trained model makes of the held-out sounds, in the order of result.json, which has their names and classes.

    n sounds, d latent dimensions.
    """

    file: ClassVar[str] = "latents.npz"

    codes: Numbers
    """The modes of the posteriors, (n, d)."""
    drawn: Numbers
    """One sample of each posterior, (n, d)."""
    kl: Numbers
    """Nats of each dimension, the mean over the sounds, (d,); nothing, (0,), where the divergence has no parts."""
    returned: Numbers
    """The codes after they were decoded and encoded again, (n, d)."""
    prior: Numbers
    """Samples of the prior, (n or more, d): first those that the run wrote as audio."""
    clips: NDArray[np.int64]
    """The number of the audio example that each sound is, (n,); -1 where it was not written."""

    def write(self, folder: Path) -> None:
        """Replaces the file in one step; the same numbers give the same bytes."""
        file = io.BytesIO()
        np.savez_compressed(file, **{one.name: getattr(self, one.name) for one in fields(Latents)})
        write_bytes(folder / self.file, file.getvalue())

    @classmethod
    def read_if_there(cls, folder: Path) -> Self | None:
        """What a run left, or nothing where an older flowvae left none; CheckpointError where the file is damaged."""
        path = folder / cls.file
        if not path.is_file():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
                latents = cls(**{one.name: found[one.name] for one in fields(cls)})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(
                f"{shown(path)} cannot be read ({str(error)[:80]})",
                do="delete it: only the map of the latent space is made of it",
            ) from error
        if not latents._fits():
            raise CheckpointError(
                f"{shown(path)} holds arrays that do not belong together",
                do="delete it: only the map of the latent space is made of it",
            )
        return latents

    @property
    def is_finite(self) -> bool:
        """Whether every vector is one of numbers: a prior that ran away has others."""
        arrays = (self.codes, self.drawn, self.kl, self.returned, self.prior)
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def _fits(self) -> bool:
        if self.codes.ndim != 2:
            return False
        n, d = self.codes.shape
        return (
            self.drawn.shape == self.returned.shape == (n, d)
            and self.prior.ndim == 2
            and self.prior.shape[1] == d
            and self.kl.shape in {(d,), (0,)}
            and self.clips.shape == (n,)
        )
