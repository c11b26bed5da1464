"""What the latent vector does to the channels of a decoder."""
