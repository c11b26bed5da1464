"""A room, a cabinet or a shell around a sound."""

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowvae.contracts import Refused, Stream
from flowvae_components.audio_files.containers import named_like_audio
from flowvae_components.audio_files.decoding import Decoder, UndecodableError
from flowvae_components.audio_files.faults import fault
from flowvae_components.audio_files.fitting import to_channels, to_rate
from flowvae_components.audio_files.listing import Listed, in_plain_words, list_files, shown
from flowvae_components.audio_files.opening import contents
from flowvae_components.augmentations.probability import require_probability
from flowvae_components.spectra.fast_length import fast_length

DIRECT_DB = -20.0
"""Where a response begins, below its peak: as in ISO 3382-1."""
LEAD_S = 0.002
"""What is kept before that: the rise of a direct sound that is limited in its band."""


class ImpulseResponse:
    """Plays some sounds through a response drawn from a folder of your own, without moving their onsets.

    Formula: y = (1 - mix) * x + mix * sum over k of h[k] x[n - k], h[k] = r[direct + k] / norm from 2 ms before to n_samples
        after the direct sound, direct = the first sample of r above -20 dB of its peak, in any channel,
        norm^2 = the sum of squares of what is used, as a mean over the channels: noise keeps its level. As one product of
        spectra, so long that nothing comes round; what rings past the end is cut off.
        Each response of the folder is as likely. A response of one channel serves all; of several, one channel of the sound
        gets the mean, more get the first ones, or begin with the first again.
    Shapes: (b, c, t) -> the same; one response a sound.
    Units: amplitude; responses of any rate are brought to that of the sounds.
    Parameters:
        path: the folder of the responses, with all folders in it; ~ stands for the home folder. Its files are read once.
        probability: the share of the sounds that are changed.
        mix: the share of the response in what comes out; 1 is nothing but the response.
    Source: Ko et al. 2017, A study on data augmentation of reverberant speech for robust speech recognition.

    Raises Refused where the folder holds no response, or a file named like audio that gives none.

    >>> from tempfile import TemporaryDirectory
    >>> import soundfile
    >>> from flowvae.testing.streams import SeededStream
    >>> with TemporaryDirectory() as path:
    ...     soundfile.write(Path(path, "late.wav"), np.float32([0, 0, 0.5, 0]), 44100)
    ...     room = ImpulseResponse(44100, 4, path=Path(path), probability=1.0, mix=1.0)
    >>> room(torch.tensor([[[0.0, 1.0, 0.0, 0.0]]]), SeededStream(0)).round(decimals=4).abs()
    tensor([[[0., 1., 0., 0.]]])
    """

    def __init__(
        self, sample_rate: int, n_samples: int, *, path: Path, probability: float = 0.5, mix: float = 0.5
    ) -> None:
        require_probability(probability)
        if not 0 <= mix <= 1:
            raise Refused("mix", f"mix must be from 0 to 1, got {mix}")
        self.probability, self.mix = probability, mix
        self.lead = round(LEAD_S * sample_rate)
        found = [self._used(response, n_samples) for response in read_responses(path, sample_rate)]
        n_channels, longest = max(len(r) for r in found), max(r.shape[1] for r in found)
        self.responses = torch.zeros(len(found), n_channels, longest)
        for held, response in zip(self.responses, found, strict=True):
            held[:, : response.shape[1]] = torch.from_numpy(to_channels(response, n_channels)[0])

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        n_items, n_channels, n_samples = batch.shape
        which = stream.integers(0, len(self.responses) - 1, (n_items,), batch.device)
        chosen = stream.uniform(0.0, 1.0, (n_items, 1, 1), batch.device) < self.probability
        # Moved with the first batch, and at rest from then on.
        self.responses = self.responses.to(batch.device)
        h = self.responses.index_select(0, which).to(batch.dtype)
        order = torch.arange(n_channels, device=batch.device) % h.shape[1]
        h = h.mean(dim=1, keepdim=True) if n_channels == 1 else h.index_select(1, order)
        energy = h.square().sum(dim=-1, keepdim=True).mean(dim=1, keepdim=True)
        # Channels that cancel leave no response, which is silence and no number divided by 0.
        gain = self.mix / energy.clamp(min=torch.finfo(h.dtype).tiny).sqrt()
        n_fft = fast_length(n_samples + h.shape[-1] - 1)
        product = torch.fft.rfft(batch, n_fft) * torch.fft.rfft(h * gain, n_fft)
        played = torch.fft.irfft(product, n_fft)[..., self.lead : self.lead + n_samples]
        return torch.where(chosen, torch.add(played, batch, alpha=1 - self.mix), batch)

    def _used(self, response: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
        """From the lead before the direct sound to what a clip has room for."""
        level = np.abs(response).max(axis=0)
        direct = int(np.argmax(level >= level.max() * 10 ** (DIRECT_DB / 20)))
        before = np.pad(response, ((0, 0), (self.lead, 0)))
        return np.ascontiguousarray(before[:, direct : direct + self.lead + n_samples])


def read_responses(path: Path, sample_rate: int) -> list[NDArray[np.float32]]:
    """Every response below a folder, in the order of the names' bytes, each (c, t) at the rate of the sounds."""
    folder = os.fsencode(path.expanduser())  # names may be any bytes
    name = shown(
        os.fsencode(path.name)
    )  # a run reads a copy: where that lies means nothing to whoever wrote the path
    try:
        files = [file for file in list_files(folder) if named_like_audio(file.name)]
    except OSError as error:
        why = in_plain_words(error) if path.expanduser().exists() else "there is no such folder"
        raise Refused("path", f"path must be a folder of responses, got {name}: {why}") from None
    if not files:
        raise Refused("path", f"path must hold a response, got {name} without any audio file")
    with Decoder() as decoder:
        return [_response(file, decoder, sample_rate) for file in files]


def _response(file: Listed, decoder: Decoder, sample_rate: int) -> NDArray[np.float32]:
    if file.problem:
        raise _unusable(file, file.problem)
    try:
        decoded = decoder.decode(contents(file.path))
    except OSError as error:
        raise _unusable(file, in_plain_words(error)) from None
    except UndecodableError as error:
        raise _unusable(file, str(error)) from None
    why = fault(decoded.audio) or ("" if decoded.audio.any() else "silent")
    if why:
        raise _unusable(file, why)
    # At a peak of 1 nothing on the way can overflow, not even a file of 1e38.
    return to_rate(decoded.audio / np.abs(decoded.audio).max(), decoded.rate, sample_rate)


def _unusable(file: Listed, why: str) -> Refused:
    # Left out in silence it would change what is trained on, and nobody would know.
    return Refused("path", f"path must hold responses that can be read, got {file.name}: {why}")
