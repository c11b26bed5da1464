"""Non-linearities of encoders and decoders."""
