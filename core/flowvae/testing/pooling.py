"""What everything that makes one vector out of frames must do."""

from torch import nn

from flowvae.contracts import Pooling
from flowvae.testing import checks_in, properties

CHANNELS, FRAMES, FEATURES = 4, 12, 6


def one_vector_a_sound(make: Pooling) -> None:
    """(b, channels, n_frames) becomes (b, features), for one frame and for odd numbers of them."""
    for channels, n_frames, features in ((CHANNELS, FRAMES, FEATURES), (4, 1, 3), (1, 7, 5), (16, 53, 8)):
        shape = tuple(make(channels, n_frames, features)(properties.noise(2, channels, n_frames)).shape)
        assert shape == (2, features), (
            f"{n_frames} frames of {channels} channels give {shape}, expected (2, {features})"
        )


def every_frame_is_heard(make: Pooling) -> None:
    """The vector depends on every frame, the first and the last included."""
    frames = properties.noise(1, CHANNELS, FRAMES).requires_grad_()
    make(CHANNELS, FRAMES, FEATURES)(frames).square().sum().backward()
    assert frames.grad is not None
    deaf = [n for n in range(FRAMES) if not bool(frames.grad[..., n].any())]
    assert not deaf, f"frames {deaf} of {FRAMES} do not matter: a crop, or a stride beyond its kernel"


def _built(make: Pooling) -> nn.Module:
    return make(CHANNELS, FRAMES, FEATURES)


CHECKS = (*checks_in(globals()), *properties.of_modules(_built, 3, CHANNELS, FRAMES))
