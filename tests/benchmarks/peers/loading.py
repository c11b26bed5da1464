"""P7: as many clips of a second as an epoch has: RAVE's data set in LMDB beside our batches, with the same augmentations."""

import random
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from torch.utils.data import default_collate

from benchmarks.peers.alternating import Pair, tell
from benchmarks.peers.sounds import decaying_noise
from flowvae.catalogue import Catalogue
from peer_packages import imported
from short_runs import training_of

RATE, N_SAMPLES, N_STORED = 44100, 44160, 66150
"""RAVE crops its second out of 1.5 s; without a crop, what it stores is as long as what it gives."""
N_BATCHES, BATCH = 24, 8
SEMITONES = 2
"""Of our pitch_shift either way, and of RAVE's; both change every second clip."""
AUGMENTATIONS = ("random_crop", "phase_mangle", "dequantize")


def ours(*augmentations):
    """Batches of the percussion recipe with these augmentations, in this order; its network is made small."""
    small = '{ use = "soundstream", width = 4 }'
    settings = (
        f"model.encoder={small}",
        f"model.decoder={small}",
        "data.n_sounds=240",
        f"train.batch_size={BATCH}",
        "augmentations.pitch_shift={}",
    )
    batches = training_of(settings, Catalogue.installed(), recipe="percussion").batches
    batches.augmentations = {name: batches.augmentations[name] for name in augmentations}

    def read():
        for step in range(N_BATCHES):
            batches(step)

    return read


def their_modules():
    """Its data set, whose reader imports a web server that nothing here asks for."""
    sys.modules.setdefault("flask", ModuleType("flask"))
    return imported("rave", "dataset")


def stored(n_samples, place):
    """A data base as RAVE's preprocessing leaves it."""
    import lmdb
    from udls.generated import AudioExample

    example = AudioExample()
    buffer = example.buffers["waveform"]
    buffer.shape.extend([1, n_samples])
    buffer.sampling_rate, buffer.precision = RATE, AudioExample.Precision.INT16
    with lmdb.open(place, map_size=2**30) as base, base.begin(write=True) as writing:
        for index, sound in enumerate(decaying_noise(N_BATCHES * BATCH, n_samples)):
            buffer.data = (sound * (2**15 - 1)).short().numpy().tobytes()
            writing.put(f"{index:08d}".encode(), example.SerializeToString())
    Path(place, "metadata.yaml").write_text(f"sr: {RATE}\nlazy: false\nchannels: 1\n")
    return place


def epoch(data):
    """Batches as torch's loader puts them together, in this process."""
    order = [*range(len(data))]

    def read():
        random.shuffle(order)
        for first in range(0, len(order), BATCH):
            default_collate([data[index] for index in order[first : first + BATCH]])

    return read


def theirs():
    data_set = their_modules().dataset
    return epoch(data_set.AudioDataset(stored(N_SAMPLES, tempfile.mkdtemp())))


def theirs_augmented(*, pitch):
    data_set = their_modules().dataset
    shift = {"rand_pitch": [2 ** (-SEMITONES / 12), 2 ** (SEMITONES / 12)]} if pitch else {}
    return epoch(data_set.get_dataset(stored(N_STORED, tempfile.mkdtemp()), RATE, N_SAMPLES, **shift))


CLIP = {"peer": "rave", "items": N_BATCHES * BATCH}
PAIRS = [
    Pair("a clip of a second, as it is", ours, theirs, 0.1, **CLIP),
    Pair(
        "a clip: crop, phase mangle, dequantize",
        lambda: ours(*AUGMENTATIONS),
        lambda: theirs_augmented(pitch=False),
        0.3,
        note="ours crops within 5 ms, theirs anywhere in 1.5 s",
        **CLIP,
    ),
    Pair(
        "a clip: pitch, crop, phase mangle, dequantize",
        lambda: ours("pitch_shift", *AUGMENTATIONS),
        lambda: theirs_augmented(pitch=True),
        0.3,
        note=f"by up to {SEMITONES} semitones, every second clip",
        **CLIP,
    ),
]

if __name__ == "__main__":
    tell("P7", __spec__.name, PAIRS)
