"""A page is written of whatever is there: a run that has not begun, one that is going on, one that lost a file."""

import shutil
from itertools import product

import pytest
from attrs import fields

from flowvae.folder.run_records import StatusRecord
from flowvae.report import figure_style, write
from flowvae.report.write import Pictures, write_report
from pretended_runs import BASE, WORSE, write_tree
from tiers import swept

ARMS = ("snake", "leaky_relu", "elu")
KINDS = {
    "sounds of the end": ("audio/step-000000500",),
    "sounds on the way": ("audio/step-000000100",),
    "targets": ("audio/target",),
    "curves": ("metrics.jsonl",),
    "figures": ("result.json",),
    "state": ("status.json",),
    "codes": ("latents.npz",),
}
EVERYTHING = (*KINDS, "the folder")


@pytest.fixture
def undrawn(monkeypatch):
    """A figure takes as long as all words of a page."""
    monkeypatch.setattr(write, "_draw", lambda *_: Pictures(*[None] * len(fields(Pictures))))


@pytest.fixture
def unsaved(monkeypatch):
    """Figures are drawn as ever; to write them as SVG takes most of a page's time and looks at no run."""
    monkeypatch.setattr(figure_style, "_address", lambda _: "data:,")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three arms with two seeds, each with sounds: tests make copies."""
    place = tmp_path_factory.mktemp("whole") / "ablation"
    return write_tree(place, [BASE[:2], WORSE[:2], WORSE[:2]], names=ARMS, n_clips=1)


def take_away(folder, arms, kinds):
    for arm, kind in product(arms, kinds):
        for run in (folder / "runs" / arm).glob("seed-*"):
            for name in KINDS.get(kind, (".",)):
                path = run / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def words_of(folder):
    return write_report(folder).read_text(encoding="utf-8").replace("_<wbr>", "_")


def subsets(of):
    return [
        [one for one, is_in in zip(of, bits, strict=True) if is_in]
        for bits in product((0, 1), repeat=len(of))
    ]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", swept(EVERYTHING, quick=3))
def test_every_subset_of_arms_may_lack_a_kind_of_file(whole, tmp_path, kind):
    for number, arms in enumerate(subsets(ARMS)):
        folder = shutil.copytree(whole, tmp_path / str(number))
        take_away(folder, arms, [kind])
        page = words_of(folder)
        assert all(arm in page for arm in ARMS)


@pytest.mark.usefixtures("undrawn")
def test_the_baseline_may_lack_every_subset_of_kinds(whole, tmp_path):
    for number, kinds in enumerate(subsets(("sounds of the end", "targets", "curves", "figures"))):
        folder = shutil.copytree(whole, tmp_path / str(number))
        take_away(folder, ARMS[:1], kinds)
        page = words_of(folder)
        assert all(arm in page for arm in ARMS)


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize("arms", [ARMS[:1], ARMS[1:], ARMS], ids="-".join)
def test_an_arm_that_runs_has_curves_and_no_sound_yet(whole, tmp_path, arms):
    folder = shutil.copytree(whole, tmp_path / "ablation")
    take_away(folder, arms, ["sounds of the end", "sounds on the way", "figures"])
    for arm, seed in product(arms, range(2)):
        run = folder / "runs" / arm / f"seed-{seed}"
        StatusRecord(state="running", step=120, steps=500).write(run)
    page = words_of(folder)
    assert all(arm in page for arm in ARMS)
