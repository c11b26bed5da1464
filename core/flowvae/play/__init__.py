"""Plays a trained run: new sounds, sounds through the model, sounds between sounds."""
