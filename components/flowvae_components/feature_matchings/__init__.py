"""Distances between what a discriminator sees in a target and in its estimate."""
