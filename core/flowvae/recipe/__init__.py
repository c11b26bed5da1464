"""Recipes: TOML files, resolved against the catalogue into something complete, frozen and identified."""

from flowvae.recipe.arm import Arm
from flowvae.recipe.arms import AblationPlan, plan_ablation
from flowvae.recipe.node import Node
from flowvae.recipe.part import Part
from flowvae.recipe.reading import read_recipe
from flowvae.recipe.resolve import resolve
from flowvae.recipe.tables import Recipe

__all__ = ["AblationPlan", "Arm", "Node", "Part", "Recipe", "plan_ablation", "read_recipe", "resolve"]
