"""From a recipe to live parts."""
