"""What is known of a latent vector before any sound was heard."""
