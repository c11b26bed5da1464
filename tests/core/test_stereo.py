"""Two channels all the way: from files through model, losses and metrics to WAV, TensorBoard and the page, never swapped."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from conftest import TINY
from flowvae.ablation.drive import run_recipe
from flowvae.catalogue import Catalogue
from flowvae.data.clips import load_clips
from flowvae.folder.audio import write_wav
from flowvae.folder.run_records import Result
from flowvae.folder.tensorboard import EventFile
from flowvae.play.trained import TrainedRun
from flowvae.recipe import read_recipe
from flowvae.report.sounds import read_clip
from flowvae.testing.loss import plain_stft
from flowvae.testing.metric import evidence as some_evidence
from flowvae.testing.registered import factory

RATE, LENGTH = 44_100, 4001
CATALOGUE = Catalogue.installed()


def panned(seed, n=2, left=1.0, right=0.25):
    """Hits of odd length, louder on the left, with some noise of its own on each side."""
    noise = torch.randn(n, 3, LENGTH, generator=torch.Generator().manual_seed(seed))
    decay = torch.exp(-torch.arange(LENGTH) / 700)
    return (
        0.1
        * decay
        * torch.stack([left * (noise[:, 0] + noise[:, 1]), right * (noise[:, 0] + noise[:, 2])], 1)
    )


def of_kind(kind):
    return [
        pytest.param(c, id=c.qualified) for c in CATALOGUE.of_kind(kind) if c.plugin.distribution == "flowvae"
    ]


def evidence(real, estimate):
    """Sounds that stand to one side, and what of the model goes with them."""
    codes = torch.arange(float(3 * len(real))).reshape(len(real), 3)
    given = evolve(some_evidence(real, estimate), generated=panned(7, 5), trained=panned(8, 6))
    return evolve(given, codes=codes, kl=codes[:, 0])


@pytest.mark.parametrize("component", of_kind("loss"))
def test_no_loss_prefers_a_side(component):
    loss = factory(component, {})(RATE, plain_stft)
    x, y = panned(0), panned(1, left=0.5, right=0.5)
    assert torch.allclose(loss(x, y), loss(x.flip(1), y.flip(1)), rtol=1e-5)


@pytest.mark.parametrize("component", of_kind("metric"))
def test_no_metric_prefers_a_side(component):
    measure = factory(component, {})(RATE, (8, 16))
    told = evidence(panned(0, 6), panned(1, 6))
    swapped = {name: getattr(told, name).flip(1) for name in ("real", "estimate", "generated", "trained")}
    # The ceiling is made of noise, another one for each side.
    near = 0.01 if component.name == "kernel_distance_ceiling" else 1e-4
    assert torch.allclose(measure(told), measure(evolve(told, **swapped)), rtol=near, atol=1e-5)


@pytest.mark.parametrize("name", ["multi_resolution_stft", "multi_scale_mel"])
def test_mono_twice_costs_what_mono_costs_and_swapped_sides_cost_something(name):
    loss = factory(CATALOGUE.find("loss", name)[0], {})(RATE, plain_stft)
    x, y = panned(0)[:, :1], panned(1)[:, :1]
    assert torch.allclose(loss(x, y), loss(x.repeat(1, 2, 1), y.repeat(1, 2, 1)), rtol=1e-5)
    assert loss(panned(0), panned(0).flip(1)) > 0.1


@pytest.mark.parametrize("component", of_kind("bands"))
def test_bands_keep_the_channels_apart(component):
    bands, sound = factory(component, {})(), panned(0)[..., :4000]
    left, right = (bands.analysis(sound[:, i : i + 1]) for i in (0, 1))
    # Not to the bit: some processors add up in another order where there are more channels.
    assert torch.allclose(bands.analysis(sound), torch.cat([left, right], 1), atol=1e-6)
    assert torch.allclose(bands.synthesis(torch.cat([left, right], 1))[:, 1:], bands.synthesis(right))


def test_a_file_and_an_event_hold_both_channels_in_their_order(tmp_path):
    [sound] = panned(0, 1)
    write_wav(tmp_path / "a.wav", sound, RATE)
    events = EventFile(tmp_path)
    events.take_up([], 0)
    events.sound(3, tmp_path / "a.wav")
    events.close()
    [file] = tmp_path.glob("events.*")
    told = [v for e in EventFileLoader(str(file)).Load() for v in e.summary.value]
    [tensor] = [value.tensor for value in told if value.tag == "a/reconstruction"]
    written = soundfile.read(io.BytesIO(tensor.string_val[0]), always_2d=True)[0]
    for audio in (
        written,
        soundfile.read(tmp_path / "a.wav", always_2d=True)[0],
        read_clip(tmp_path / "a.wav").audio,
    ):
        assert audio.shape == (LENGTH, 2)
        assert np.abs(audio.T - sound.numpy()).max() < 1 / 32767


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of both players in stereo over files of one channel and of two, with its page; tests do not touch it."""
    folder = tmp_path_factory.mktemp("stereo")
    for i, sound in enumerate(panned(5, 12)):
        name = folder / "sounds" / f"kit-{i % 4}" / f"{'wide' if i % 3 else 'mono'}-{i}.wav"
        name.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(name, sound.T.numpy() if i % 3 else sound[0].numpy(), RATE)
    data = f'data={{ use = "folder", path = "{(folder / "sounds").as_posix()}" }}'
    settings = [s for s in TINY if not s.startswith(("data", "model.n_samples"))]
    settings += [data, "model.n_samples=3996", "model.channels=2", 'model.bands="none"']
    settings += ["evaluation.audio_examples=4", "adversarial.from_step=3", "adversarial.hears_samples=3000"]
    settings += [f"adversarial.discriminators.{d}.width=2" for d in ("multi_period", "multi_resolution")]
    source = read_recipe("percussion_small_adversarial", tuple(settings))
    run_recipe(source, folder / "out", lambda _: None, CATALOGUE)
    return folder / "out"


@pytest.mark.slow
def test_files_of_one_channel_and_of_two_lie_side_by_side(trained):
    [prepared] = trained.glob("data/*/clips.json")
    clips = load_clips(prepared.parent)
    assert clips.audio.shape[1] == 2
    for clip, audio in zip(clips.info, clips.audio, strict=True):
        is_mono = "mono" in clip.name
        assert ("mono repeated" in clip.note) == is_mono
        assert np.array_equal(audio[0], audio[1]) == is_mono
        assert is_mono or np.abs(audio[0]).max() > 2 * np.abs(audio[1]).max()


@pytest.mark.slow
def test_a_run_in_stereo_measures_writes_and_plays_two_channels(trained):
    [folder] = trained.glob("runs/*/seed-0")
    result = Result.read(folder)
    assert all(figure.value is not None for figure in result.metrics.values())
    files = sorted(folder.glob("audio/*/*.wav"))
    assert len(files) >= 2 * 4
    assert all(soundfile.info(file).channels == 2 for file in files)
    for file in folder.glob("audio/target/*wide*.wav"):
        left, right = np.abs(soundfile.read(file)[0]).max(0)
        assert left > 2 * right
    assert TrainedRun.at(folder).sample(2).shape == (2, 2, 3996)


@pytest.mark.slow
def test_the_players_of_the_page_have_two_channels_in_their_order(trained):
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', (trained / "report.html").read_text())
    heard = [
        soundfile.read(io.BytesIO(base64.b64decode(sound)), always_2d=True)[0]
        for sound in dict.fromkeys(sounds)
    ]
    assert len(heard) >= 8
    assert {audio.shape for audio in heard} == {(3996, 2)}
    assert any(np.abs(audio[:, 0]).max() > 2 * np.abs(audio[:, 1]).max() for audio in heard)
