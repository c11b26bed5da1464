"""What is known of a latent vector once its sound was heard."""
