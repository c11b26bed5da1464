"""From sounds to batches."""
