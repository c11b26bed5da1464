"""Latent health and the map, of folders that the engine wrote and of codes whose answer is known."""

import json
import re

import numpy as np
import pytest
from attrs import evolve, fields

from conftest import TINY
from flowvae.ablation import drive
from flowvae.catalogue import Catalogue
from flowvae.folder.latents import Latents
from flowvae.folder.run_records import Result
from flowvae.recipe import read_recipe
from flowvae.report import write
from flowvae.report.latent_health import dimensions, drift, told_apart
from flowvae.report.latent_map import latent_map
from flowvae.report.latent_words import topics
from flowvae.report.listening import MOST_CLIPS
from flowvae.report.reading import read_folder
from flowvae.report.write import Pictures, write_report
from pretended_runs import BASE, WORSE, write_codes
from tiers import swept
from two_players import in_this_process

NORMAL = ("model.posterior=gaussian", "model.prior=standard_normal", 'may_be_unused=["defaults.flow"]')
POINTS = ("model.posterior=deterministic", "model.prior=standard_normal", "regularizer=none",
          'evaluation.metrics=["spectral_distance"]', 'may_be_unused=["defaults.flow"]')  # fmt: skip
PLUS_MINUS = np.tile([[1.0], [-1.0]], (4, 8)).astype(np.float32)
"""Eight codes of eight dimensions, whose middle is 0 and whose variance is 1."""
SETTINGS = (*TINY, "train.steps=3", "evaluation.sounds=8", "evaluation.prior_samples=3", "ablation.seeds=2")


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    monkeypatch.setattr(write, "_draw", lambda *_: Pictures(*[None] * len(fields(Pictures))))


def trained(place, *settings):
    with pytest.MonkeyPatch.context() as here:
        in_this_process(here)
        here.setattr(write, "_draw", lambda *_: Pictures(*[None] * len(fields(Pictures))))
        recipe = read_recipe("ablation_snake", (*SETTINGS, *settings))
        drive.run_recipe(recipe, place, lambda _: None, Catalogue.installed())
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two arms with two seeds and the flows of the recipe; tests that change it take a copy."""
    return trained(tmp_path_factory.mktemp("flows") / "out")


@pytest.fixture
def latents(folder):
    return Latents.read_if_there(folder / "runs/snake/seed-0")


def page_of(folder):
    return write_report(folder).read_text(encoding="utf-8")


def with_codes(runs, n_sounds, values, **changes):
    """A pretended tree with as many held-out sounds."""
    folder = runs(values, **changes)
    sounds = tuple(f"kick/kick-{i:02d}" for i in range(n_sounds))
    for run in folder.glob("runs/*/*"):
        result = Result.read(run)
        evolve(result, sounds=sounds, groups=("kick",) * n_sounds, metrics={}).write(run)
        write_codes(run, result.seed, n_sounds)
    return folder


def test_each_arm_gets_a_sentence_under_each_heading(folder):
    for topic in topics(read_folder(folder)):
        assert [arm for arm, _ in topic.said] == ["snake", "leaky_relu"]
        assert not any("not known" in words for _, words in topic.said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "criterion"), swept([(POINTS, "variance"), (NORMAL, "divergence")]), ids=["points", "normal"]
)
def test_what_carries_is_counted_by_what_the_posterior_allows(tmp_path, settings, criterion):
    place = trained(tmp_path / "out", *settings)
    assert criterion in topics(read_folder(place))[0].said[0][1]
    assert 'id="map"' in page_of(place)


def test_the_numbers_that_are_used_are_counted_with_their_criterion(runs):
    words = topics(read_folder(runs([BASE, WORSE])))[0].said[0][1]
    assert words.startswith(
        "3 of 6 numbers are used; the others could be left out (a number is used if its divergence"
    )
    assert "above 0.01 nats" in words


def test_what_the_numbers_cost_is_told_as_the_recipe_says_it(folder):
    assert "free_bits 0" in topics(read_folder(folder))[0].said[0][1]


def test_a_dead_space_is_called_one(latents):
    dead = evolve(latents, kl=np.zeros(8, np.float32))
    assert dimensions(dead).n_used == dimensions(dead).n_for_most == 0


def test_a_signal_as_large_as_its_noise_carries_half_of_a_bit(latents):
    codes, signs = PLUS_MINUS, PLUS_MINUS[[0, 0, 1, 1, 0, 0, 1, 1]]
    given = evolve(latents, codes=codes, drawn=codes + signs, kl=np.empty(0, np.float32))
    assert dimensions(given).values == pytest.approx(np.full(8, np.log(2) / 2), rel=1e-5)


def test_the_prior_is_told_from_the_sounds_only_where_it_lies_elsewhere(latents):
    rng = np.random.default_rng(0)
    drawn, prior = rng.standard_normal((2, 400, 8)).astype(np.float32)
    assert told_apart(evolve(latents, drawn=drawn, prior=prior)) == pytest.approx(0.5, abs=0.08)
    assert told_apart(evolve(latents, drawn=drawn, prior=prior + 20)) == 1.0
    assert told_apart(evolve(latents, drawn=drawn[:3], prior=prior)) is None


def test_drift_is_one_where_every_code_comes_back_as_the_middle(latents):
    rows = PLUS_MINUS
    assert drift(evolve(latents, codes=rows, returned=rows)) == 0
    assert drift(evolve(latents, codes=rows, returned=0 * rows)) == pytest.approx(1)
    assert drift(evolve(latents, codes=0 * rows, returned=rows)) is None


def test_a_mark_is_played_by_the_sound_that_was_made_of_it(folder):
    found = latent_map(read_folder(folder))
    page = page_of(folder)
    lanes = re.findall(r'class="lane" data-clip="([^"]+)"', page)
    assert {mark.clip for mark in found.marks if mark.clip} >= set(lanes)
    *measured, _, _ = lanes  # as many of the measured sounds as a page has, and two samples of the prior
    assert len(measured) == MOST_CLIPS
    for name in measured:
        [mark] = [mark for mark in found.marks if mark.clip == name]
        assert name == re.sub("[^a-z0-9]+", "-", mark.name.lower()).strip("-")[:40]
    n = 2 * len(lanes)  # two seeds
    assert page.count('data-arm="snake"') == page.count('data-arm="leaky_relu"') == n


def test_every_run_has_its_place_for_every_mark(folder):
    found = latent_map(read_folder(folder))
    assert [(p.arm, p.seed) for p in found.places] == [
        (a, s) for a in ("snake", "leaky_relu") for s in (0, 1)
    ]
    assert all(len(p.points) == 2 * len(found.marks) == 2 * (8 + 8) for p in found.places)
    told = json.loads(re.search(r'id="map-places">(.*?)</script>', page_of(folder))[1])
    assert [tuple(run["points"]) for run in told] == [p.points for p in found.places]


def test_the_map_says_what_share_of_the_variance_it_shows(folder, latents):
    variances = np.sort(np.linalg.eigvalsh(np.cov(latents.codes.astype(float).T)))[::-1]
    said = latent_map(read_folder(folder)).places[0].said
    shares = [float(share) / 100 for share in re.findall(r"([\d.]+)\N{NARROW NO-BREAK SPACE}%", said)]
    assert shares == pytest.approx(variances[:2] / variances.sum(), abs=0.006)


def test_distances_on_the_map_are_those_of_the_first_two_directions(folder, latents):
    place = latent_map(read_folder(folder)).places[0]
    shown = np.reshape(place.points, (-1, 2))[:8].astype(float)
    codes = latents.codes.astype(float) - latents.codes.mean(axis=0)
    values, vectors = np.linalg.eigh(codes.T @ codes)
    flat = codes @ vectors[:, np.argsort(values)[::-1][:2]]
    ours, theirs = (np.linalg.norm(p[:, None] - p[None], axis=2) for p in (shown, flat))
    scale = (ours * theirs).sum() / np.square(theirs).sum()
    assert ours == pytest.approx(scale * theirs, abs=1.5)  # places are whole numbers


def test_a_folder_without_codes_says_so_and_has_no_map(runs):
    folder = runs([BASE, WORSE])
    for file in folder.glob("runs/*/*/latents.npz"):
        file.unlink()
    page = page_of(folder)
    assert 'id="map"' not in page
    assert not topics(read_folder(folder))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04no"])
def test_damaged_codes_are_told_and_stop_nothing(runs, damage):
    folder = runs([BASE, WORSE])
    (folder / "runs/snake/seed-2/latents.npz").write_bytes(damage)
    assert "latents.npz cannot be read" in page_of(folder)
    assert len(latent_map(read_folder(folder)).places) == 11


def test_codes_of_other_sounds_are_told(runs):
    folder = runs([BASE, WORSE])
    write_codes(folder / "runs/snake/seed-2", 2, 3)
    assert "3 codes for 4 sounds" in page_of(folder)


def test_a_prior_that_ran_away_is_told(runs):
    folder = runs([BASE, WORSE])
    run = folder / "runs/snake/seed-2"
    one = Latents.read_if_there(run)
    evolve(one, prior=one.prior + np.float32(np.inf)).write(run)
    assert "vectors that are not finite" in page_of(folder)
    assert len(latent_map(read_folder(folder)).places) == 11


def test_an_arm_without_codes_is_told_beside_the_others(runs):
    folder = runs([BASE, WORSE])
    for file in folder.glob("runs/snake/*/latents.npz"):
        file.unlink()
    said = dict(topics(read_folder(folder))[0].said)
    assert said["snake"].startswith("not known")
    assert said["leaky_relu"].startswith("3 of 6")


def test_sounds_that_are_one_code_have_a_map_too(runs):
    folder = runs([BASE, WORSE])
    for run in folder.glob("runs/*/*"):
        one = Latents.read_if_there(run)
        evolve(
            one, codes=0 * one.codes, drawn=0 * one.codes, returned=0 * one.codes, prior=0 * one.prior
        ).write(run)
    assert latent_map(read_folder(folder)).places[0].said == "All sounds have one and the same code."
    page_of(folder)


def test_three_arms_of_six_seeds_take_less_than_200_kb(runs):
    folder = with_codes(runs, 64, [BASE, WORSE, WORSE], names=("snake", "leaky_relu", "elu"))
    page = page_of(folder)
    section = page[page.index('<div class="map"') : page.index("</section>", page.index('<div class="map"'))]
    assert section.count('role="option"') == 128
    assert len(latent_map(read_folder(folder)).places) == 18
    assert len(section) < 100_000
