"""What is measured beside the arms and never trained."""
