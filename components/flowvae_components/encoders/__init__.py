"""From a sound to one vector."""
