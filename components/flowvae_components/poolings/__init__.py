"""What makes one vector out of frames."""
