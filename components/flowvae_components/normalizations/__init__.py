"""Ways to hold the weights of a convolution."""
