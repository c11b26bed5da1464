"""Where convolutions look."""
