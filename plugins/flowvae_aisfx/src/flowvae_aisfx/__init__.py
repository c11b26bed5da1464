"""Distances between sets of sounds, by an embedding of sound effects, for flowvae."""
