"""A small tree of runs that never ran: every number in it is known, every file is written as the engine writes it."""

import numpy as np
import soundfile
from attrs import evolve

from flowvae.folder.journal import Row
from flowvae.folder.latents import Latents
from flowvae.folder.plan_records import (
    Change,
    LedgerEntry,
    Plan,
    PlannedArm,
    PlannedData,
    PlannedMetric,
    Provenance,
)
from flowvae.folder.run_records import MeasuredFigure, Result, StatusRecord

RATE = 22_050
BASE = [3.0, 3.2, 2.9, 3.1, 3.3, 3.05]
WORSE = [3.2, 3.45, 3.05, 3.35, 3.5, 3.2]
METRICS = (
    PlannedMetric("spectral_distance", "lower", "", "quality"),
    PlannedMetric("si_sdr", "higher", "dB", "quality"),
    PlannedMetric("tonal_artefact", "lower", "dB", "artefact"),
    PlannedMetric("kl_nats", "none", "nats", "latent"),
    PlannedMetric("active_units", "none", "dims", "latent"),
)
SOUNDS = ["kick/kick-00", "kick/kick-01", "snare/snare-00", "snare/snare-01"]


def strike(hz, decay_s, noise, seed):
    """A decaying sine with some noise on it: a drum as far as a page can tell."""
    t = np.arange(RATE // 3) / RATE
    hiss = np.random.default_rng(seed).standard_normal(len(t))
    return 0.5 * np.exp(-t / decay_s) * (np.sin(2 * np.pi * hz * t) + noise * hiss)


def write_sound(path, audio):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, RATE, subtype="PCM_16")


def write_run(folder, seed, value, *, quality, threads=1, n_clips=3):
    jitter = np.random.default_rng([seed, int(1000 * abs(value))])
    folder.mkdir(parents=True, exist_ok=True)
    StatusRecord(state="done", step=500, steps=500).write(folder)
    figures = {
        "spectral_distance": value,
        "si_sdr": 9 - 2 * value + jitter.normal(0, 0.2),
        "tonal_artefact": 4 + 6 * quality + jitter.normal(0, 0.3),
        "kl_nats": 14 + jitter.normal(0, 0.5),
        "active_units": 11.0 + seed % 2,
    }
    untrained = {
        "spectral_distance": 5 + 0.1 * seed,
        "si_sdr": -18.0,
        "tonal_artefact": 12.0,
        "active_units": 0.0,
    }
    per_sound = {"spectral_distance": tuple(value + 0.1 * i for i in range(4))}
    Result(
        metrics={name: MeasuredFigure(v, per_sound.get(name)) for name, v in figures.items()},
        untrained=untrained,
        costs={
            "parameters": 512_345.0,
            "macs_per_second": 1.2e9 * (1 + 0.1 * quality),
            "seconds_per_step": 0.21 + 0.02 * quality,
            "peak_memory_mb": 812.0,
            "real_time_factor": 0.031,
            "train_seconds": 105.0,
        },
        sounds=tuple(SOUNDS),
        groups=("kick", "kick", "snare", "snare"),
        threads=threads,
        device="cpu",
        device_number=None,
        precision="fp32",
        data_fingerprint="c0ffee",
        seed=seed,
        exact=True,
        plugins=("flowvae 0.1.0",),
    ).write(folder)
    write_journal(folder, value, quality, jitter)
    write_sounds(folder, seed, quality, n_clips)
    write_codes(folder, seed, len(SOUNDS))


def write_journal(folder, value, quality, jitter):
    lines = []
    for step in range(10, 501, 10):
        fall = value + 3 * np.exp(-step / 90)
        wobble = jitter.normal(0, 0.08)
        figures = {"loss": fall + wobble, "loss/multi_resolution_stft": fall, "kl": 14 * (1 - np.exp(-step / 100)),
                   "beta": min(1.0, step / 200) * 0.01, "lr": 1e-3, "grad_norm": 1 + abs(wobble)}  # fmt: skip
        lines.append(Row("train", step, figures).line())
        if step % 100 == 0:
            figures = {"metric/spectral_distance": fall, "metric/tonal_artefact": 4 + 6 * quality}
            lines.append(Row("validation", step, figures).line())
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_codes(folder, seed, n_sounds, n_dimensions=6):
    """Of the dimensions, half are used; the prior lies where the sounds lie."""
    jitter = np.random.default_rng([seed, n_sounds])
    sizes = np.where(np.arange(n_dimensions) < n_dimensions / 2, 1.0, 0.001)
    codes = jitter.standard_normal((n_sounds, n_dimensions)) * sizes
    moved, noise, prior = jitter.standard_normal((3, n_sounds, n_dimensions))
    Latents(
        codes=codes.astype(np.float32),
        drawn=(codes + 0.1 * noise).astype(np.float32),
        kl=np.where(sizes == 1, 1.5, 0.002).astype(np.float32),
        returned=(codes + 0.1 * moved * sizes).astype(np.float32),
        prior=(prior * sizes + 0.1 * noise).astype(np.float32),
        clips=np.arange(n_sounds),
    ).write(folder)


def write_sounds(folder, seed, quality, n_clips):
    for i in range(n_clips):
        hz = 90 * 3**i
        target = strike(hz, 0.06, 0.1 + 0.2 * i, 100 + i)
        write_sound(folder / f"audio/target/{i:02d}-drum-{i}.wav", target)
        heard = 0.6 * strike(hz * (1 + 0.02 * quality), 0.05, 0.2 + 0.2 * i, 200 + seed) + 0.01 * quality
        write_sound(folder / f"audio/step-000000500/{i:02d}-drum-{i}.wav", heard)
        write_sound(folder / "audio/step-000000100" / f"{i:02d}-drum-{i}.wav", 0.1 * heard)
    for i in range(2):
        write_sound(
            folder / f"audio/step-000000500/prior-{i:02d}.wav",
            0.3 * strike(140 + 50 * i + seed, 0.04, 0.5, seed),
        )


def write_tree(root, values, *, seeds=None, names=("snake", "leaky_relu"), n_clips=3, **changes):
    """`values` holds a list of figures an arm: the first arm is the baseline."""
    seeds = list(range(len(values[0]))) if seeds is None else seeds
    arms = tuple(
        PlannedArm(
            name=name,
            is_baseline=i == 0,
            changes={} if i == 0 else {"defaults.activation": name},
            difference=()
            if i == 0
            else (Change("model.decoder.activation", "snake(alpha=1.0)", f"{name}(slope=0.2)"),),
            flags=() if i < 2 else ("also changes model.decoder.width",),
            components={
                f"activation flowvae:{name}": Provenance("flowvae", "0.1.0", "ab" * 32),
                "bands flowvae:pqmf": Provenance("flowvae", "0.1.0", "cd" * 32),
            },
            parameters=512_345,
            macs_per_second=1.2e9,
            receptive_field=26_000,
        )
        for i, name in enumerate(names)
    )
    plan = Plan(
        name="ablation_snake",
        description="",
        question="Does a periodic activation keep the tail of a drum?",
        metric="spectral_distance",
        worthwhile_difference=None,
        metrics=METRICS,
        axes=("defaults.activation",),
        seeds=tuple(seeds),
        arms=arms,
        data=PlannedData(
            description="folder ~/drums",
            used=740,
            noted=3,
            skipped=14,
            held_out=80,
            held_out_groups=("GMkit", "TR808"),
            split=(),
            fingerprint="c0ffee" * 8,
            sample_rate=RATE,
            seconds=0.33,
        ),
        steps=500,
        batch_size=8,
        ledger=(
            LedgerEntry("2026-11-23T07:00:00+00:00", 0, "planned", "", "metric spectral_distance (lower)"),
        ),
    )
    root.mkdir(parents=True, exist_ok=True)
    evolve(plan, **changes).write(root)
    for i, (name, figures) in enumerate(zip(names, values, strict=True)):
        for seed, value in zip(seeds, figures, strict=False):
            write_run(root / "runs" / name / f"seed-{seed}", seed, value, quality=i, n_clips=n_clips)
    return root
