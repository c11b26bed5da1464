"""What keeps the posterior near the prior."""
