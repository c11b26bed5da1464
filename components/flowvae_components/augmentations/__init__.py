"""Changes that leave a sound of the same family."""
