"""P5: distances between spectra, of one formula: tests/peers/test_distances.py holds their values together."""

from collections.abc import Callable

from attrs import frozen

from benchmarks.peers.alternating import Pair, tell
from benchmarks.peers.sounds import decaying_noise
from flowvae.building.shared_stft import SharedStft
from flowvae_components.losses.multi_resolution_stft import MultiResolutionSTFT
from flowvae_components.losses.multi_scale_mel import MultiScaleMel
from flowvae_components.losses.rave_spectral import RaveSpectral
from peer_packages import imported

BATCH, N_SAMPLES, RATE = 4, 45056, 44100
N_FFTS = (2048, 1024, 512, 256, 128)


@frozen
class Compared:
    """A distance of ours and a peer's, each from a target and an estimate to a number."""

    peer: str
    ours: Callable[..., Callable]
    """From a transform."""
    theirs: Callable[[], Callable]


def rave():
    core = imported("rave", "core").core
    distance = core.AudioDistanceV1(lambda: core.MultiScaleSTFT(N_FFTS, RATE), 1e-7)
    return lambda target, estimate: distance(target, estimate)["spectral_distance"]


def auraloss():
    freq = imported("auraloss", "freq").freq
    distance = freq.MultiResolutionSTFTLoss([*N_FFTS], [n // 4 for n in N_FFTS], [*N_FFTS])
    return lambda target, estimate: distance(estimate, target)


def codec():
    from audiotools import AudioSignal

    import dac_step

    distance = dac_step.mel_loss()
    return lambda target, estimate: distance(AudioSignal(estimate, RATE), AudioSignal(target, RATE))


COMPARED = RAVE, AURALOSS, CODEC = (
    Compared("rave", lambda stft: RaveSpectral(stft, n_ffts=N_FFTS), rave),
    Compared("auraloss", lambda stft: MultiResolutionSTFT(stft, n_ffts=N_FFTS), auraloss),
    Compared("dac", lambda stft: MultiScaleMel(RATE, stft), codec),
)


def sounds():
    """A target, and an estimate of it that asks for a gradient."""
    return decaying_noise(BATCH, N_SAMPLES), decaying_noise(BATCH, N_SAMPLES, seed=2).requires_grad_()


def ours(compared):
    """There and back, with the transforms as a training shares them."""
    stft, (target, estimate) = SharedStft(), sounds()
    distance = compared.ours(stft)

    def step():
        distance(target, estimate).backward()
        stft.forget()

    return step


def theirs(compared, *, tracked=False):
    target, estimate = sounds()
    target.requires_grad_(tracked)
    distance = compared.theirs()

    def step():
        distance(target, estimate).backward()

    return step


def pair(what, compared, goal, note="", **how):
    """There and back, on both sides."""
    return Pair(
        what, lambda: ours(compared), lambda: theirs(compared, **how), goal, peer=compared.peer, note=note
    )


PAIRS = [
    pair(
        "RAVE's distance, as its step has it",
        RAVE,
        0.7,
        "theirs asks for a gradient of the target too, which nobody uses; ours weighs each sound by itself, theirs the batch",
        tracked=True,
    ),
    pair("RAVE's distance, to a target without a gradient", RAVE, None),
    pair("auraloss, multi-resolution STFT", AURALOSS, 0.8, "theirs computes phases too, and leaves them"),
    pair("DAC, mel loss of seven windows", CODEC, 0.95),
]

if __name__ == "__main__":
    tell("P5", __spec__.name, PAIRS)
