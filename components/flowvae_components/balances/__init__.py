"""Ways to weigh the pulls of several losses on one estimate."""
