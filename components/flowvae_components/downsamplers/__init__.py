"""Layers that give fewer samples."""
