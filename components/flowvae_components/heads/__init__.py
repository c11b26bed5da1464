"""The last layers of a decoder."""
