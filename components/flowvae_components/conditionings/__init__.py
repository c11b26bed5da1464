"""What is done to a sound before a discriminator hears it."""
