"""The components that come with flowvae: one folder a kind, one idea a file."""
