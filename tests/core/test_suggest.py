"""`flowvae suggest`: what of a recipe was not compared yet."""

import json

import pytest

from flowvae.cli.main import main
from flowvae.recipe.family import questions
from flowvae.recipe.shipped import shipped_recipes


@pytest.fixture
def suggest(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def suggest(name):
        assert main(["suggest", name, "--json", "--no-plugins"]) == 0
        return {(q["kind"], q["paths"][0]): q for q in json.loads(capsys.readouterr().out)}

    return suggest


ASK = """
extends = "mine.toml"
[ablation]
metric = "spectral_distance"
[ablation.vary]
"""


@pytest.fixture
def family(tmp_path):
    """A recipe of its own family: nothing that comes with flowvae lies over it."""
    (tmp_path / "mine.toml").write_text(shipped_recipes()["percussion"].read_text())
    return tmp_path


def test_a_slot_that_an_ablation_varies_is_no_longer_suggested(suggest, family):
    before = suggest("mine.toml")
    head = before["head", "model.decoder.head"]
    assert (head["now"], head["vary"], head["compared"]) == ("plain", "defaults.head", {})
    assert "amplitude_modulated" in head["left"]
    (family / "heads.toml").write_text(ASK + '"defaults.head" = ["plain", "amplitude_modulated"]\n')
    after = suggest("mine.toml")
    assert "amplitude_modulated" not in after["head", "model.decoder.head"]["left"]
    assert {k: q for k, q in before.items() if k[0] != "head"} == {
        k: q for k, q in after.items() if k[0] != "head"
    }


def test_what_was_never_compared_comes_first(suggest):
    compared = [bool(question["compared"]) for question in suggest("percussion_small").values()]
    assert compared == sorted(compared)
    assert {*compared} == {False, True}


def test_what_was_compared_and_where_is_told(suggest):
    activation = suggest("percussion_small")["activation", "model.encoder.activation"]
    assert "ablation_snake" in activation["compared"]["leaky_relu"]
    assert "leaky_relu" not in activation["left"]
    assert "anti_derivative" in activation["left"]
    assert activation["vary"] == "defaults.activation"


def test_a_part_among_others_is_compared_by_being_left_out(suggest, family):
    assert suggest("mine.toml")["augmentation", "augmentations.dequantize"]["left"] == ["none"]
    (family / "without.toml").write_text(ASK + '"augmentations.dequantize" = [{}, false]\n')
    assert ("augmentation", "augmentations.dequantize") not in suggest("mine.toml")


def test_recipes_of_another_family_do_not_count(suggest, family):
    (family / "other.toml").write_text((family / "mine.toml").read_text())
    (family / "heads.toml").write_text(
        ASK.replace("mine", "other") + '"defaults.head" = ["plain", "amplitude_modulated"]\n'
    )
    assert "amplitude_modulated" in suggest("mine.toml")["head", "model.decoder.head"]["left"]
    assert "amplitude_modulated" not in suggest("other.toml")["head", "model.decoder.head"]["left"]


def test_a_file_that_cannot_be_read_is_told_and_the_rest_stands(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('extends = "percussion_small.toml"\n')
    (tmp_path / "broken.toml").write_text('extends = "mine.toml"\n[model]\nlatent = 3\n')
    assert main(["suggest", "mine.toml", "--no-plugins"]) == 0
    out = capsys.readouterr().out
    assert 'left out: broken.toml: model.latent: there is no key "latent"' in out
    assert "[ablation.vary]" in out


@pytest.mark.parametrize("metrics", ["", 'metrics = ["active_units", "attack_error"]\n'])
def test_what_it_proposes_is_a_recipe_that_checks(capsys, tmp_path, monkeypatch, metrics):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(f'extends = "percussion_small.toml"\n[evaluation]\n{metrics}')
    main(["suggest", "mine.toml", "--no-plugins"])
    lines = capsys.readouterr().out.split("To ask the first")[1].splitlines()[1:5]
    (tmp_path / "asked.toml").write_text("\n".join(['extends = "mine.toml"', *lines]))
    assert main(["check", "asked.toml", "--no-plugins"]) == 0


def test_it_proposes_no_ablation_that_no_metric_of_the_recipe_can_decide(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(
        'extends = "percussion_small.toml"\n[evaluation]\nmetrics = ["active_units"]\n'
    )
    assert main(["suggest", "mine.toml", "--no-plugins"]) == 0
    assert "[ablation.vary]" not in capsys.readouterr().out


def test_an_unknown_recipe_is_a_fault(capsys):
    assert main(["suggest", "percusion_small"]) == 2
    assert "percussion_small" in capsys.readouterr().err


def example(capsys, name):
    assert main(["suggest", name, "--no-plugins"]) == 0
    return capsys.readouterr().out.partition("To ask the first")[2]


def test_the_example_extends_what_lies_beside_it_and_no_ablation(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "mine.toml").write_text('extends = "percussion_small"\n')
    (tmp_path / "inner" / "ask.toml").write_text(ASK + '"defaults.activation" = ["snake", "elu"]\n')
    for name in ("inner/mine.toml", "inner/ask.toml"):
        assert 'extends = "mine.toml"' in example(capsys, name)
    assert 'extends = "percussion_small.toml"' in example(capsys, "ablation_snake")


def test_the_example_is_judged_by_a_metric_of_the_recipe(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = 'extends = "percussion_small"\nevaluation.metrics = ["kl_nats", "si_sdr"]\n'
    (tmp_path / "mine.toml").write_text(text)
    assert 'metric = "si_sdr"' in example(capsys, "mine.toml")


def test_a_prior_is_suggested_with_a_metric_that_hears_it(catalogue):
    _, family = questions("ablation_prior", catalogue)
    assert family.judge("model.encoder") == "spectral_distance"
    assert family.judge("model.prior") in {"kernel_distance", "precision", "coverage", "aggregate_mismatch"}
