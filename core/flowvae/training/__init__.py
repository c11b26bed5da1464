"""One run's training: the model, its objective, its state, its loop."""
