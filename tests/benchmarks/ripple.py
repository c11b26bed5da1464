"""What an ablation does to the ripple at the frame rate and to the high bands: `python tests/benchmarks/ripple.py FOLDER`.

FOLDER is that of a finished ablation, such as runs/ablation_discriminators. Every trained model reconstructs the held-out
sounds once more, and each arm is compared with the first, seed by seed. A decoder that adds up frames of n samples may
swell and fade once a frame: that is the ripple, and n is the longest period that the model says of itself.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

import flowvae
from flowvae.data.clips import load_clips
from flowvae.evaluation.evidence import HeldOut
from flowvae.folder.plan_records import Plan
from flowvae.play.trained import TrainedRun
from flowvae.statistics.paired import pair

HOP = 32
"""Samples of a value of the envelope: several of them in a frame, several periods of a hat in one."""
FLOOR_DB = -60.0
"""Where the envelope of a sound lies below its peak by more, it has died away: nothing swells there."""
BANDS_HZ = {"4 to 8 kHz": (4_000.0, 8_000.0), "above 8 kHz": (8_000.0, 22_050.0)}


def ripple_db(audio: Tensor, period: int) -> Tensor:
    """How much the level of each sound swings once in `period` samples, (n,), in dB of the swing's amplitude."""
    power = audio.square().mean(1).unfold(-1, HOP, HOP).mean(-1)
    level = 10 * torch.log10(power / power.amax(-1, keepdim=True).clamp(min=1e-12) + 10 ** (FLOOR_DB / 10))
    per_frame = period // HOP
    frames = level.unfold(-1, per_frame, per_frame)  # (n, frames, values of a frame)
    frames = frames - frames.mean(-1, keepdim=True)
    # What the sound itself does within a frame differs from frame to frame; a ripple is what all share.
    phase = torch.exp(2j * torch.pi * torch.arange(per_frame) / per_frame)
    return 2 * (frames * phase).mean(-1).mean(-1).abs()


def band_error_db(real: Tensor, made: Tensor, rate: int, low: float, high: float) -> Tensor:
    """How far the level of each reconstruction is from its sound's in a band, (n,), without sign."""
    hz = torch.fft.rfftfreq(real.shape[-1], 1 / rate)
    inside = (hz >= low) & (hz < high)
    levels = [
        10 * torch.log10(torch.fft.rfft(audio).abs().square()[..., inside].sum((1, 2)) + 1e-6)
        for audio in (real, made)
    ]
    return (levels[1] - levels[0]).abs()


def figures(run: TrainedRun) -> dict[str, float]:
    """The figures of one run: medians over its held-out sounds."""
    recipe, clips = run.recipe, load_clips(run.folder / run.order.data)
    section = recipe.model
    real = HeldOut.of(clips, section.n_samples, recipe.evaluation.sounds, torch.device("cpu")).audio
    made, period = run.reconstruct(real), max(run.model.periods)
    found = {
        f"ripple at {section.sample_rate / period:.0f} Hz": ripple_db(made, period),
        "of the sounds themselves": ripple_db(real, period),
    }
    for name, (low, high) in BANDS_HZ.items():
        found[f"level error {name}"] = band_error_db(real, made, section.sample_rate, low, high)
    return {name: float(values.median()) for name, values in found.items()}


def main(folder: Path) -> None:
    """Prints the mean of each arm, and its difference from the first with the interval over the seeds."""
    plan = Plan.read(folder)
    values = {
        arm.name: {
            seed: figures(flowvae.load(folder / "runs" / arm.name / f"seed-{seed}")) for seed in plan.seeds
        }
        for arm in plan.arms
    }
    baseline = values[plan.arms[0].name]
    names = list(next(iter(baseline.values())))
    print(f"| arm | {' | '.join(f'{name}, dB' for name in names)} |\n|{' --- |' * (len(names) + 1)}")
    for arm, seeds in values.items():
        cells = []
        for name in names:
            mine, theirs = ({seed: f[name] for seed, f in of.items()} for of in (seeds, baseline))
            mean = sum(mine.values()) / len(mine)
            paired = pair(theirs, mine)
            beside = ""
            if arm != plan.arms[0].name and paired.interval:
                low, high = paired.interval
                beside = f" ({paired.mean:+.2f}; {low:+.2f} to {high:+.2f})"
            cells.append(f"{mean:.2f}{beside}")
        print(f"| {arm} | {' | '.join(cells)} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
