"""How the network sees audio: as samples, or as bands at a lower rate."""
