"""Loudness over time, for flowvae."""
