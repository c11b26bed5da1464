"""Distributions over latent vectors, shared by posteriors and priors."""
