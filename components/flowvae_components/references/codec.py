"""A frozen network of the user's own."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torchaudio.functional import resample

from flowvae.contracts import Refused

LEAST_RATE, MOST_RATE = 1000, 768_000
"""What a model's sample rate may be."""


class Codec:
    """Sends every sound through a network from a file, there and back: a codec beside what was trained.

    Formula: y = resample(network(resample(x))), cut or filled with silence to the length of x.
    Shapes: (b, c, t) -> the same; the network maps (b, channels, samples) to the same, or to a few samples more or less.
    Units: amplitude.
    Parameters:
        path: a TorchScript file (.ts, .pt, .pth, .jit) or an ONNX file (.onnx, with onnxruntime installed); its content is part
            of what is measured. A program in a file is run: take it from people whom you trust
        codec_rate: the sample rate of the network; without one it is the model's
        mono: whether the network takes one channel, so that each channel goes through it by itself
    Source: own.
    Errors: ValueError for a file that cannot be read, and for a network that fails or returns what is no such audio.

    >>> Codec(44100, path=Path("nothing.ts"))
    Traceback (most recent call last):
    flowvae.contracts.refusal.Refused: path must be a TorchScript or an ONNX file, got nothing.ts: there is no such file
    """

    def __init__(
        self, sample_rate: int, *, path: Path, codec_rate: int | None = None, mono: bool = False
    ) -> None:
        if codec_rate is not None and not LEAST_RATE <= codec_rate <= MOST_RATE:
            raise Refused(
                "codec_rate", f"codec_rate must be from {LEAST_RATE} to {MOST_RATE}, got {codec_rate}"
            )
        self.rate, self.codec_rate, self.mono = sample_rate, codec_rate or sample_rate, mono
        self.network = _onnx(path) if path.suffix == ".onnx" else _script(path)

    @torch.no_grad()
    def __call__(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        given = audio.flatten(0, 1)[:, None] if self.mono else audio
        heard = self._heard(resample(given, self.rate, self.codec_rate))
        back = resample(heard.to(audio), self.codec_rate, self.rate)
        return functional.pad(back, (0, max(0, audio.shape[-1] - back.shape[-1])))[
            ..., : audio.shape[-1]
        ].reshape(audio.shape)

    def _heard(self, given: Float[Tensor, "b c n"]) -> Float[Tensor, "b c m"]:
        """What the network makes of audio; Refused where that is none."""
        asked = f"path must be a network from audio to audio: {tuple(given.shape)}"
        try:
            heard = self.network(given)
        except MemoryError:
            raise
        except Exception as error:  # whatever a program of the user's raises is the fault of its file
            if "allocate" in str(error):
                raise
            # TorchScript ends with what happened, after where.
            raise Refused("path", f"{asked} failed: {str(error).strip().splitlines()[-1]}") from error
        if not isinstance(heard, Tensor):
            raise Refused("path", f"{asked} gave {type(heard).__name__}")
        # Half as long is sound at another rate, not a frame that is missing.
        fits = heard.ndim == given.ndim and heard.shape[:2] == given.shape[:2]
        if not fits or 2 * heard.shape[-1] <= given.shape[-1]:
            raise Refused("path", f"{asked} gave {tuple(heard.shape)}")
        if not heard.is_floating_point():
            raise Refused("path", f"{asked} gave {heard.dtype}")
        if not bool(heard.isfinite().all()):
            raise Refused("path", f"{asked} gave values that are not finite")
        return heard


def _script(path: Path) -> Callable[[Tensor], Tensor]:
    if not path.is_file():
        why = "this is a folder" if path.is_dir() else "there is no such file"
        raise Refused("path", f"path must be a TorchScript or an ONNX file, got {path.name}: {why}")
    try:
        with warnings.catch_warnings():
            # torch wants programs in its newer form; what people have lying on their disks is in this one.
            warnings.simplefilter("ignore", DeprecationWarning)
            network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        # What follows the first sentence guesses at checkpoints, which nobody spoke of.
        why = str(error).strip().splitlines()[0].partition(". ")[0]
        raise Refused(
            "path", f"path must be a TorchScript or an ONNX file, got {path.name}: {why}"
        ) from error
    network.eval()
    return network


def _onnx(path: Path) -> Callable[[Tensor], Tensor]:
    if find_spec("onnxruntime") is None:
        raise Refused(
            "path",
            f"path is an ONNX file, and onnxruntime is not installed: pip install onnxruntime ({path.name})",
        )
    import onnxruntime  # noqa: PLC0415 - only who has such a file needs it

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each state of a file
        raise Refused("path", f"path must be an ONNX file, got {path.name}: {error}") from error
    name = session.get_inputs()[0].name

    def network(audio: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: audio.cpu().float().numpy()})[0])

    return network
