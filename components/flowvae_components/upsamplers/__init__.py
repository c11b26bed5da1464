"""Layers that give more samples."""
