"""Invertible maps with a known change of volume."""
