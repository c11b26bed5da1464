"""Who runs the jobs of a plan."""
