import pytest

from flowvae.errors import RecipeError
from flowvae.recipe import plan_ablation, read_recipe

TEXT = """extends = "percussion_small"
[ablation]
question = "?"
metric = "spectral_distance"
reasons = {{ {name} = "because" }}
[ablation.vary]
"defaults.activation" = ["snake", "leaky_relu"]
"""


@pytest.mark.parametrize(
    ("name", "words"), [("leaky_rely", "there is no arm leaky_rely"), ("leaky_relu", "nothing beside")]
)
def test_a_reason_is_for_an_arm_that_has_something_to_explain(catalogue, write, name, words):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("a.toml", TEXT.format(name=name))), catalogue)
    assert words in caught.value.faults[0].what
