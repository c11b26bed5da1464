"""The drums of the synthetic data set, one voice a file, and the few signals that they are made of."""
