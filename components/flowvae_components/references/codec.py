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
    Errors: ValueError for a file that cannot be read, or that returns another shape.

    >>> Codec(44100, path=Path("nothing.ts"))
    Traceback (most recent call last):
    flowvae.contracts.refusal.Refused: path must be a TorchScript or an ONNX file, got nothing.ts: there is no such file
    """

    def __init__(
        self, sample_rate: int, *, path: Path, codec_rate: int | None = None, mono: bool = False
    ) -> None:
        if codec_rate is not None and codec_rate < 1:
            raise Refused("codec_rate", f"codec_rate must be at least 1, got {codec_rate}")
        self.rate, self.codec_rate, self.mono = sample_rate, codec_rate or sample_rate, mono
        self.network = _onnx(path) if path.suffix == ".onnx" else _script(path)

    @torch.no_grad()
    def __call__(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        given = audio.flatten(0, 1)[:, None] if self.mono else audio
        heard = self.network(resample(given, self.rate, self.codec_rate))
        if not isinstance(heard, Tensor) or heard.shape[:2] != given.shape[:2]:
            shape = tuple(heard.shape) if isinstance(heard, Tensor) else type(heard).__name__
            raise Refused(
                "path", f"path must be a network from audio to audio: {tuple(given.shape)} gave {shape}"
            )
        back = resample(heard.to(audio), self.codec_rate, self.rate)
        return functional.pad(back, (0, max(0, audio.shape[-1] - back.shape[-1])))[
            ..., : audio.shape[-1]
        ].reshape(audio.shape)


def _script(path: Path) -> Callable[[Tensor], Tensor]:
    if not path.is_file():
        raise Refused(
            "path", f"path must be a TorchScript or an ONNX file, got {path.name}: there is no such file"
        )
    try:
        with warnings.catch_warnings():
            # torch wants programs in its newer form; what people have lying on their disks is in this one.
            warnings.simplefilter("ignore", DeprecationWarning)
            network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        why = str(error).strip().splitlines()[0]
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
