"""The Python front page: what the commands do, as functions; nothing is loaded before it is needed."""

import subprocess
import sys

import pytest
import torch

import flowvae
from flowvae.errors import CheckpointError, MachineError, RecipeError, UsageError


def in_a_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_it_loads_next_to_nothing():
    heavy = {"torch", "numpy", "attrs", "tomli", "pluggy", "flowvae.api", "flowvae.catalogue"}
    in_a_new_process(f"import sys, flowvae; assert not {heavy!r} & set(sys.modules)")


def test_checking_and_listing_load_no_torch():
    code = "import sys, flowvae; flowvae.check('ablation_snake'); flowvae.components(); assert 'torch' not in sys.modules"
    in_a_new_process(code)


@pytest.mark.slow
def test_its_names_are_functions_whatever_was_imported_before():
    code = (
        "import flowvae, flowvae.worker, flowvae.building.parts, flowvae.ablation.drive, flowvae.recipe\n"
        "assert all(callable(getattr(flowvae, name)) for name in flowvae.__all__)\n"
        "assert set(flowvae.__all__) <= set(dir(flowvae))"
    )
    in_a_new_process(code)


def test_what_it_has_not_is_told():
    with pytest.raises(AttributeError, match=r"flowvae has no trian; it has .*run"):
        _ = flowvae.trian


def test_tables_are_laid_over_the_recipe():
    vary = {"defaults.activation": ["leaky_relu", {"use": "snake", "alpha": 0.5}]}
    plan = flowvae.check(
        "ablation_snake",
        seeds=3,
        train={"steps": 200, "optimizer": {"lr": 1e-3}},
        ablation={"vary": vary},
        augmentations={"dequantize": False},
    )
    assert [arm.name for arm in plan.arms] == ["leaky_relu", "snake"]
    assert (plan.recipe.train.steps, len(plan.seeds)) == (200, 3)
    assert plan.recipe.train.optimizer.values["lr"] == 1e-3
    assert list(plan.recipe.augmentations) == ["random_crop"]
    assert repr(plan) == "ablation_snake: arms leaky_relu, snake; 3 seeds"


def test_faults_come_as_data_and_read_as_on_the_terminal():
    with pytest.raises(RecipeError) as caught:
        flowvae.check("ablation_snake", train={"stepz": 200}, model={"latent_dim": 0.5})
    assert {(f.path, f.suggestions) for f in caught.value.faults} == {
        ("train.stepz", ("steps",)),
        ("model.latent_dim", ()),
    }
    assert "did you mean steps?" in str(caught.value)
    assert "--set" not in str(caught.value)


def test_what_a_recipe_extends_is_not_laid_over():
    with pytest.raises(RecipeError, match="name the other recipe instead") as caught:
        flowvae.check("ablation_snake", extends="percussion")
    assert "--set" not in str(caught.value)


def test_an_unknown_kind_is_told():
    with pytest.raises(UsageError, match=r'there is no kind "activations"'):
        flowvae.components("activations")
    assert {c.kind for c in flowvae.components()} >= {"activation", "loss", "metric"}


def test_a_model_is_built_as_a_training_would_start_it():
    tables = {"model": {"n_samples": 2048, "latent_dim": 8}}
    one, again, other = (flowvae.build("percussion_small", seed=seed, **tables) for seed in (0, 0, 1))
    pairs = list(zip(one.state_dict().values(), again.state_dict().values(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="is the folder of no run"):
        flowvae.load(tmp_path)


def test_without_torch_a_model_says_what_to_install(monkeypatch):
    from flowvae.building import installation

    monkeypatch.setattr(installation, "HEAVY", ("torch_that_is_not_there",))
    with pytest.raises(MachineError, match="a model needs torch_that_is_not_there"):
        flowvae.build("percussion_small")


SMALL = {
    "train": {"steps": 4},
    "evaluation": {"every": 2, "sounds": 4},
    "model": {"n_samples": 2048},
    "augmentations": {"random_crop": False},
}


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    """Run once, with everything small."""
    said = []
    out = tmp_path_factory.mktemp("front") / "out"
    ablation = flowvae.run(
        "ablation_snake", data={"n_sounds": 24}, seeds=2, out=out, say=said.append, **SMALL
    )
    assert "arms: 2, seeds: 2; runs to do: 4" in said
    return ablation


@pytest.mark.slow
def test_an_ablation_has_its_arms_its_comparisons_and_its_report(ablation):
    assert {arm: len(runs) for arm, runs in ablation.arms.items()} == {"snake": 2, "leaky_relu": 2}
    [comparison] = ablation.comparisons
    assert (comparison.arm.name, comparison.verdict.word) == ("leaky_relu", "not shown")
    assert ablation.report.read_text().startswith("<!doctype html>")
    with pytest.raises(CheckpointError, match="is the folder of an ablation") as caught:
        flowvae.load(ablation.folder)
    assert "runs/leaky_relu/seed-0" in caught.value.do


@pytest.mark.slow
def test_a_trained_run_samples_reconstructs_encodes_and_morphs(ablation):
    run = flowvae.load(ablation.arms["snake"][1].folder)
    assert repr(run).startswith("snake, seed 1, in ")
    assert run.recipe.model.n_samples == 2048
    assert run.figures["spectral_distance"] == run.result.metrics["spectral_distance"].value
    sounds = run.sample(3, seed=3)
    assert sounds.shape == (3, 1, 2048)
    assert torch.equal(sounds, run.sample(3, seed=3))
    with pytest.raises(UsageError, match="'a' is no seed"):
        run.sample(3, seed="a")
    assert not torch.equal(sounds, run.sample(3, seed=4))
    latent = run.encode(sounds)
    assert latent.shape == (3, run.recipe.model.latent_dim)
    assert torch.allclose(run.decode(latent), run.reconstruct(sounds), atol=1e-6)
    between = run.morph(sounds[0], sounds[1:2], n=5)
    ends = run.reconstruct(sounds[:2])
    assert between.shape == (5, 1, 2048)
    assert torch.allclose(between[[0, -1]], ends, atol=1e-5)
    assert not run.model.training
    with pytest.raises(UsageError, match=r"this model takes \(b, 1, 2048\)"):
        run.encode(torch.zeros(1, 1, 2047))


@pytest.mark.slow
def test_the_model_is_the_one_that_was_evaluated(ablation):
    """What the run's own report has as audio is what the loaded model makes of the same targets."""
    import soundfile

    run = ablation.arms["snake"][0]
    target = min((run.folder / "audio" / "target").glob("*.wav"))
    estimate = run.folder / "audio" / "step-000000004" / target.name
    heard, expected = (torch.from_numpy(soundfile.read(f, dtype="float32")[0]) for f in (target, estimate))
    again = run.reconstruct(heard[None, None])[0, 0]
    # Both files have 16 bits: what went in was rounded, and what is compared with.
    assert (again - expected).abs().max() < 3e-3


@pytest.mark.slow
def test_called_again_it_repeats_nothing(ablation):
    said = []
    flowvae.run(
        "ablation_snake", data={"n_sounds": 24}, seeds=2, out=ablation.folder, say=said.append, **SMALL
    )
    assert "arms: 2, seeds: 2; runs to do: 0, 4 done before" in said


@pytest.mark.slow
def test_the_notebook_of_first_steps_runs_from_top_to_bottom(tmp_path, request):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(request.config.rootpath / "docs" / "first_steps.ipynb", as_version=4)
    NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(o.get("text", "") for cell in notebook.cells for o in cell.get("outputs", ()))
    assert "train.stepz: there is no key" in printed
    assert "leaky_relu not shown" in printed
    assert (tmp_path / "first.wav").stat().st_size > 10_000
