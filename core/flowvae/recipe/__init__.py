"""Recipes: TOML files, resolved against the catalogue into something complete, frozen and identified."""

from flowvae.recipe.arms import AblationPlan, Arm, plan_ablation
from flowvae.recipe.resolve import resolve
from flowvae.recipe.resolved import Part, Recipe
from flowvae.recipe.tree import Node, read_recipe

__all__ = ["AblationPlan", "Arm", "Node", "Part", "Recipe", "plan_ablation", "read_recipe", "resolve"]
