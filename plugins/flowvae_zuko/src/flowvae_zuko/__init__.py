"""Flows of zuko for flowvae."""
