"""Spectra as losses and metrics read them."""
