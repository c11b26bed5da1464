"""Where sounds come from: one file a source, and beside it what that source is made of."""
