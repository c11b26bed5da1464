"""What every encoder must do."""

from flowvae.contracts import Encoder
from flowvae.testing import checks_in, properties

N_SAMPLES = 768


def one_vector_a_sound(make: Encoder) -> None:
    """(b, c, t) becomes (b, features), for one channel and for two, and for any length."""
    for channels, n_samples in ((1, N_SAMPLES), (2, N_SAMPLES), (1, N_SAMPLES - 5), (16, 48)):
        encoder = make(channels, n_samples)
        shape = tuple(encoder(properties.noise(2, channels, n_samples)).shape)
        assert shape == (2, encoder.features), (
            f"{channels} channels of {n_samples} samples give {shape}, expected (2, features = {encoder.features})"
        )


def every_sample_is_heard(make: Encoder) -> None:
    """The vector depends on the first sample, on the last one, and on those between."""
    audio = properties.noise(1, 1, N_SAMPLES).requires_grad_()
    make(1, N_SAMPLES)(audio).square().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert audio.grad is not None
    deaf = int((audio.grad == 0).sum())
    assert deaf <= N_SAMPLES // 100, (
        f"{deaf} of {N_SAMPLES} samples do not matter: a crop, or a stride beyond its kernel"
    )


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(1, N_SAMPLES), 3, 1, N_SAMPLES))
