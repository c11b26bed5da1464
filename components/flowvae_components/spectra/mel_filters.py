"""Triangular filters on the mel scale."""

import warnings

from jaxtyping import Float
from torch import Tensor


def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> Float[Tensor, "k f"]:
    """Slaney's filter bank from 0 Hz to half the rate, each filter with the same area.

    Formula: mel = filters @ magnitude, triangles with their corners evenly spaced on Slaney's mel scale.
    Shapes: (n_mels, n_fft // 2 + 1).
    Units: weight of a bin; an area of 1 is over hertz.
    Source: Slaney's Auditory Toolbox 1998, as in torchaudio.functional.melscale_fbanks.

    >>> mel_filters(44100, 512, 80).shape
    torch.Size([80, 257])
    """
    from torchaudio.functional import melscale_fbanks  # noqa: PLC0415 (only mel losses pay for this import)

    with warnings.catch_warnings():
        # At small windows a filter may be narrower than a bin and hold none. It then says nothing, which is right.
        warnings.filterwarnings("ignore", message="At least one mel filterbank has all zero values")
        filters: Tensor = melscale_fbanks(
            n_freqs=n_fft // 2 + 1,
            f_min=0.0,
            f_max=sample_rate / 2,
            n_mels=n_mels,
            sample_rate=sample_rate,
            norm="slaney",
            mel_scale="slaney",
        )
    return filters.T.contiguous()
