"""From one vector to a sound."""
