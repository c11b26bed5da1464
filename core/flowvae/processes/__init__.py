"""Processes of this machine: plain ones, and copies of one that has imported already what they need."""
