"""Distances between a sound and its reconstruction, to be minimised."""
