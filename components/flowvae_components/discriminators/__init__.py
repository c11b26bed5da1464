"""Judges that tell real sounds from estimates."""
