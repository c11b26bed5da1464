"""The envelopes, one file each."""
