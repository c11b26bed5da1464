"""One short-time Fourier transform for all who ask for it within a step."""

import torch
from attrs import Factory, define
from torch import Tensor
from torch.nn import functional

from flowvae.building.short_time import transformed


@define(eq=False)
class SharedStft:
    """Computes a transform at the first request and hands the same result to everyone else.

    A target that carries no gradient is transformed without a graph. `forget` ends the step.
    """

    _windows: dict[tuple[int, torch.device, torch.dtype], Tensor] = Factory(dict)
    _results: dict[tuple[int, int, int], tuple[Tensor, Tensor]] = Factory(dict)

    def __call__(self, audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
        """(b, c, t) to complex (b * c, n_fft // 2 + 1, n_frames)."""
        key = (id(audio), n_fft, hop_length)
        if key not in self._results:
            # The audio is kept beside the result: its id cannot be given to another tensor meanwhile.
            self._results[key] = (audio, self._transform(audio, n_fft, hop_length))
        return self._results[key][1]

    def forget(self) -> None:
        """Drops the transforms of this step."""
        self._results.clear()

    def _transform(self, audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
        window = self._window(n_fft, audio.device, audio.dtype)
        flat = audio.reshape(-1, audio.shape[-1])
        # Reflection needs more samples than it mirrors; a clip shorter than the window is padded with silence.
        mode = "reflect" if flat.shape[-1] > n_fft // 2 else "constant"
        around = functional.pad(flat, (n_fft // 2, n_fft // 2), mode=mode)
        return transformed(around, window, hop_length)

    def _window(self, n_fft: int, device: torch.device, dtype: torch.dtype) -> Tensor:
        key = (n_fft, device, dtype)
        if key not in self._windows:
            self._windows[key] = torch.hann_window(n_fft, device=device, dtype=dtype)
        return self._windows[key]
