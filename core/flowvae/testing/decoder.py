"""What every decoder must do."""

from flowvae.contracts import Decoder
from flowvae.testing import checks_in, properties

LATENT_DIM = 8
N_SAMPLES = 768


def length_is_exact(make: Decoder) -> None:
    """(b, latent_dim) becomes (b, c, n_samples), for one channel and for two, and for any length."""
    for channels, n_samples in ((1, N_SAMPLES), (2, N_SAMPLES), (1, N_SAMPLES - 5), (16, 48)):
        shape = tuple(make(LATENT_DIM, channels, n_samples)(properties.noise(2, LATENT_DIM)).shape)
        expected = (2, channels, n_samples)
        assert shape == expected, (
            f"the sound is {shape}, expected {expected}: crop what the last frame has too much"
        )


def latent_is_heard(make: Decoder) -> None:
    """Another latent vector gives another sound."""
    latent = properties.noise(2, LATENT_DIM)
    sounds = properties.run(make(LATENT_DIM, 1, N_SAMPLES), latent).detach()
    assert float((sounds[0] - sounds[1]).abs().max()) > 1e-6, (
        "two latent vectors give one sound: is the input used?"
    )


def periods_are_distances(make: Decoder) -> None:
    """`periods` holds whole numbers of samples, 2 or more each."""
    periods = make(LATENT_DIM, 1, N_SAMPLES).periods
    assert all(isinstance(period, int) and period > 1 for period in periods), (
        f"periods are {periods}: give the output samples that one sample of each stage spans, () if there is no stage"
    )


CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(lambda make: make(LATENT_DIM, 1, N_SAMPLES), 3, LATENT_DIM),
)
