"""Ways to move the weights."""
