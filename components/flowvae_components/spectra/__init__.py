"""Spectra as losses, metrics and augmentations read them."""
