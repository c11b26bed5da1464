"""Paired differences and what they can show: pure functions."""
