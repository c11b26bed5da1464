"""What a page says of arms whose latent vectors have no density, on a folder that the engine wrote."""

import pytest
from attrs import evolve, fields

from conftest import TINY
from flowvae.ablation import drive
from flowvae.catalogue import Catalogue
from flowvae.recipe import read_recipe
from flowvae.report import write
from flowvae.report.curves import Curves
from flowvae.report.figure_style import Picture
from flowvae.report.reading import read_folder
from flowvae.report.write import Pictures, write_report
from flowvae.report.write import _draw as draw
from two_players import in_this_process

NOTHING_DRAWN = Pictures(*[None] * len(fields(Pictures)))
RECIPE = """
extends = "percussion_small"
may_be_unused = ["defaults.flow"]
[model]
prior = "standard_normal"
posterior = "deterministic"
[evaluation]
metrics = ["si_sdr", "active_units"]
[ablation]
metric = "si_sdr"
seeds = 1
[ablation.vary]
regularizer = ["none", "wasserstein_mmd"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("without")
    (place / "points.toml").write_text(RECIPE)
    settings = (*TINY, "train.steps=3", "evaluation.every=3", "evaluation.audio_examples=1")
    with pytest.MonkeyPatch.context() as here:
        in_this_process(here)
        here.setattr(write, "_draw", lambda *_: NOTHING_DRAWN)
        drive.run_recipe(
            read_recipe(str(place / "points.toml"), settings),
            place / "out",
            lambda _: None,
            Catalogue.installed(),
        )
    return place / "out"


def panels_of(folder, monkeypatch):
    """The keys of every figure of curves."""
    asked = []
    monkeypatch.setattr(Curves, "picture", lambda _, wanted: asked.append([key for _, key in wanted]))
    monkeypatch.setattr(write.plots, "pairs", lambda *_: None)
    monkeypatch.setattr(write.plots, "cost_against_quality", lambda *_: None)
    monkeypatch.setattr(write.plots, "before_and_after", lambda *_: None)
    monkeypatch.setattr(write, "latent_bars", lambda *_: None)
    draw(read_folder(folder), (), {})
    return asked


def test_the_price_of_a_posterior_is_drawn_by_its_own_name(folder, monkeypatch):
    [latent] = [keys for keys in panels_of(folder, monkeypatch) if "beta" in keys]
    assert latent == ["mmd", "beta", "metric/active_units"]
    elsewhere = [keys for keys in panels_of(folder, monkeypatch) if "mmd" in keys and keys != latent]
    assert not elsewhere


def test_the_page_says_nothing_of_nats(folder, monkeypatch):
    drawn = evolve(NOTHING_DRAWN, latent=Picture("data:,", "data:,", "latent"))
    monkeypatch.setattr(write, "_draw", lambda *_: drawn)
    write_report(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "No active dimension means that the decoder ignores it." in page
    assert "nats" not in page
