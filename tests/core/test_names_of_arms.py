"""What a user calls things survives, and two things never get one name."""

import pytest

from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe

VARY = """extends = "percussion_small"
data = {{ use = "folder", path = "a" }}
[ablation]
metric = "spectral_distance"
seeds = 2
[ablation.vary]
{}
"""


def arms(catalogue, write, vary):
    return [a.name for a in plan_ablation(read_recipe(write("a.toml", VARY.format(vary))), catalogue).arms]


def of_paths(catalogue, write, *paths):
    return arms(catalogue, write, f'"data.path" = [{", ".join(f"{path!r}" for path in paths)}]')


def test_case_47_names_of_other_scripts_are_kept_and_told_apart(catalogue, write):
    assert of_paths(catalogue, write, "鼓", "鈸", "Größe") == ["鼓", "鈸", "grösse"]
    assert of_paths(catalogue, write, "हिन्दी", "हन्द") == ["हिन्दी", "हन्द"]
    assert of_paths(catalogue, write, "e\u0301te\u0301", "été") == ["été", "été-2"]


def test_case_47_names_that_differ_in_case_or_signs_alone_are_told_apart(catalogue, write):
    assert of_paths(catalogue, write, "Kits", "kits", "KITS") == ["kits", "kits-2", "kits-3"]
    assert of_paths(catalogue, write, "a b", "a#b", "a-b-2") == ["a-b", "a-b-2", "a-b-2-2"]


def test_case_47_no_name_leads_out_of_the_folder_of_runs(catalogue, write, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # folders are looked into
    names = of_paths(catalogue, write, ".", "..", "/etc", "-rf", "...", "a/../../b")
    assert len(set(names)) == 6
    assert all(name.strip(".-") == name and "/" not in name and name for name in names)


def test_case_47_names_that_share_their_first_64_letters_differ_by_their_ends(catalogue, write):
    long = "/a/library/of/drum/sounds/that/is/as/deep/as/people/have/them/at/home"
    assert of_paths(catalogue, write, f"{long}/909", f"{long}/808") == ["909", "808"]
    names = of_paths(catalogue, write, "x" * 90 + "1", "x" * 90 + "2", "鼓" * 300)
    assert len(set(names)) == 3
    assert max(len(name.encode()) for name in names) <= 200


@pytest.mark.parametrize(
    ("path", "values", "names"),
    [
        ("losses.multi_scale_mel.weight", "1.0, 1e16, 1e-16", ["weight-1.0", "weight-1e16", "weight-1e-16"]),
        ("model.latent_dim", "8, 16", ["latent_dim-8", "latent_dim-16"]),
    ],
)
def test_case_47_numbers_are_named_as_they_are_written(catalogue, write, path, values, names):
    assert arms(catalogue, write, f'"{path}" = [{values}]') == names


def test_case_47_a_sign_is_not_lost_in_a_name(catalogue, write):
    vary = '"augmentations.gain" = [{ high_db = 6.0 }, { high_db = -6.0 }, { high_db = 0.5 }]'
    assert arms(catalogue, write, vary) == [f"gain-high_db-{said}" for said in ("6.0", "minus-6.0", "0.5")]


def _faults(catalogue, write, vary):
    with pytest.raises(RecipeError) as caught:
        arms(catalogue, write, vary)
    return caught.value.faults


def test_case_47_two_links_to_one_recipe_are_two_recipes(catalogue, write, tmp_path):
    (tmp_path / "deep").mkdir()
    write("base.toml", 'extends = "percussion_small"\n')
    real = write("deep/tiny.toml", 'extends = "../base.toml"\n')
    for day in ("tuesday", "wednesday"):
        (tmp_path / f"{day}.toml").symlink_to(real)
        assert read_recipe(str(tmp_path / f"{day}.toml")).name == day
    assert read_recipe(real).name == "tiny"
    assert read_recipe("percussion_small.toml").name == "percussion_small"


def test_case_44_a_thousand_arms_are_refused_by_their_number_before_any_is_resolved(
    catalogue, write, monkeypatch
):
    monkeypatch.setattr("flowvae.recipe.arms.resolve", None)
    monkeypatch.setattr("flowvae.recipe.arms.faults_of_values", None)
    monkeypatch.setattr("flowvae.recipe.arms.variant_names", None)
    [fault] = _faults(catalogue, write, f'"data.path" = {[f"kit {i}" for i in range(2_000)]}')
    assert fault.what == "asks for 2000 arms; at most 1000 are run"


@pytest.mark.parametrize("path", ["seed", "execution.threads", "execution.device", "execution"])
def test_case_44_what_no_result_depends_on_is_no_arm(catalogue, write, path):
    assert any(
        "no result depends on" in fault.what for fault in _faults(catalogue, write, f'"{path}" = [1, 2]')
    )
